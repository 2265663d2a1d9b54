import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { identityOf, isAlive } from '../environment/process-table.ts';
import { run } from './run.ts';

const FOLDER = '/run/netns';
const GONE_TIMEOUT_MS = 5_000;
const NAME = /^rip-(\d+)-(\d+)-/;

/** Settings of every namespace: no waiting for duplicate addresses, since each address here is given once. */
const SETTINGS = ['net.ipv6.conf.all.accept_dad=0', 'net.ipv6.conf.default.accept_dad=0'];
const FORWARDING = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];

/** How a program in a namespace is run. */
export interface ProgramOptions {
  environment?: NodeJS.ProcessEnv;
  /** Where its output goes; nowhere when absent. */
  logFile?: string;
}

/** A network namespace that this project has made. */
export class Namespace {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Makes the namespace, with its loopback up. */
  static async add(name: string, { forwards = false }: { forwards?: boolean } = {}): Promise<Namespace> {
    await run('ip', ['netns', 'add', name]);
    const namespace = new Namespace(name);
    await namespace.run('sysctl', ['-q', '-w', ...SETTINGS, ...(forwards ? FORWARDING : [])]);
    await namespace.ip('link set lo up');
    return namespace;
  }

  /** Runs lines of `ip` commands in the namespace, up to the first that fails. */
  async ip(...lines: string[]): Promise<void> {
    await run('ip', ['-n', this.name, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  }

  /** Runs a command in the namespace and answers what it printed. */
  run(command: string, commandArguments: readonly string[], options?: { input?: string }): Promise<string> {
    return run('nsenter', this.#enter(command, commandArguments), options);
  }

  /** Starts a program in the namespace, in a process group of its own. */
  spawn(command: string, commandArguments: readonly string[], options: ProgramOptions = {}): ChildProcess {
    const { environment = process.env, logFile } = options;
    const log = logFile === undefined ? 'ignore' : openSync(logFile, 'a');
    const child = spawn('nsenter', this.#enter(command, commandArguments), {
      env: environment,
      stdio: ['ignore', log, log],
      detached: true,
    });
    if (typeof log === 'number') closeSync(log);
    child.on('error', () => {});
    return child;
  }

  /** Ends whatever runs in the namespace, at once. */
  async killAll(): Promise<void> {
    const deadline = performance.now() + GONE_TIMEOUT_MS;
    while (performance.now() < deadline) {
      const pids = (await run('ip', ['netns', 'pids', this.name])).split('\n').filter((line) => line !== '');
      if (pids.length === 0) return;
      for (const pid of pids) kill(Number(pid));
      await sleep(10);
    }
    throw new Error(`processes in ${this.name} cannot be ended`);
  }

  /** Ends whatever runs in the namespace, and removes it. */
  async delete(): Promise<void> {
    await this.killAll();
    await run('ip', ['netns', 'delete', this.name]);
  }

  #enter(command: string, commandArguments: readonly string[]): string[] {
    return [`--net=${FOLDER}/${this.name}`, command, ...commandArguments];
  }
}

/** What the names of a process's namespaces begin with, so that they can be told from those of processes that died. */
export async function prefixOf(pid: number): Promise<string> {
  const identity = await identityOf(pid);
  if (!identity) throw new Error(`there is no process ${pid}`);
  return `rip-${identity.pid}-${identity.startTime}-`;
}

/** The namespaces whose names begin so. */
export async function namespacesOf(prefix: string): Promise<Namespace[]> {
  const names = await readdir(FOLDER).catch(() => []);
  return names.filter((name) => name.startsWith(prefix)).map((name) => new Namespace(name));
}

/** Removes the namespaces of test beds whose makers have died without doing so. Answers how many. */
export async function removeAbandoned(): Promise<number> {
  let removed = 0;
  for (const name of await readdir(FOLDER).catch(() => [])) {
    const [, pid, startTime] = NAME.exec(name) ?? [];
    if (pid === undefined || startTime === undefined || (await isAlive({ pid: Number(pid), startTime }))) continue;
    await new Namespace(name).delete();
    removed++;
  }
  return removed;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself meanwhile.
  }
}
