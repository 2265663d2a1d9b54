import { readdir, readFile, readlink } from 'node:fs/promises';

/** A process that stays recognisable after its pid has been given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which the process started, as in field 22 of /proc/<pid>/stat. */
  readonly startTime: string;
}

/** A process that listens on a port. */
export interface Listener {
  readonly pid: number;
  readonly command: string;
  readonly workingFolder: string;
}

/** Identity of the process that holds `pid` now, or undefined when there is none (or only a zombie of it). */
export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  const startTime = fields[19];
  return state === 'Z' || startTime === undefined ? undefined : { pid, startTime };
}

/** Whether that very process, and not a later one with the same pid, is alive. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identityOf(identity.pid))?.startTime === identity.startTime;
}

/** The command line of a process, shortened to `maximumLength` characters. */
export async function commandLineOf(pid: number, maximumLength = 100): Promise<string> {
  const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const line = raw.split('\0').join(' ').trim();
  return line.length > maximumLength ? `${line.slice(0, maximumLength)}…` : line;
}

/**
 * The process that listens on a TCP port of this machine.
 * Undefined when nobody listens, or when it belongs to another user, whose open files only root can see.
 */
export async function listenerOf(port: number): Promise<Listener | undefined> {
  const sockets = new Set((await listeningInodes(port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const entry of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(entry)) continue;
    for (const descriptor of await readdir(`/proc/${entry}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${entry}/fd/${descriptor}`).catch(() => '');
      if (!sockets.has(target)) continue;
      const workingFolder = await readlink(`/proc/${entry}/cwd`).catch(() => 'an unknown folder');
      return { pid: Number(entry), command: await commandLineOf(Number(entry)), workingFolder };
    }
  }
  return undefined;
}

async function listeningInodes(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return tables
    .flatMap((table) => table.split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(`:${wanted}`) && columns[3] === '0A')
    .flatMap((columns) => columns[9] ?? []);
}
