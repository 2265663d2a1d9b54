import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../../../environment/errors.ts';
import { freePort } from '../../../environment/ports.ts';
import type { ProcessSupervisor, RunningProcess } from '../../../environment/processes.ts';
import { untilReady } from '../../../environment/ready.ts';
import { outputOf } from '../../../environment/servers/tools.ts';

const VERSIONS_FOLDER = '/usr/lib/postgresql';
/** Debian's package makes it. */
const UNPRIVILEGED_USER = 'postgres';
const READY_WITHIN_MS = 30_000;

/**
 * Starts Debian's PostgreSQL on loopback with its defaults and a data folder of its own, as an unprivileged user;
 * installs it first when it is missing and this is root.
 *
 * @throws {EnvironmentError} when it is missing and cannot be installed.
 */
export async function startPostgres(
  supervisor: ProcessSupervisor,
  dataFolder: string,
): Promise<{ url: string; process: RunningProcess }> {
  const binaries = (await newestBinaries()) ?? (await installPostgres(supervisor));
  const folder = join(dataFolder, 'postgres');
  const passwordFile = join(folder, 'password');
  const password = randomBytes(18).toString('base64url');
  await mkdir(folder, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  const asUser = await unprivileged([folder, passwordFile], dataFolder);
  const environment = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' };
  const data = join(folder, 'data');
  await supervisor.run({
    ...asUser(join(binaries, 'initdb'), [
      ...['-D', data, '-U', 'dbos', '-E', 'UTF8', '--auth=scram-sha-256'],
      `--pwfile=${passwordFile}`,
    ]),
    ...{ name: 'postgres-initdb', role: 'tool', workingFolder: '/', environment },
  });
  const port = await freePort();
  const server = await supervisor.start({
    ...asUser(join(binaries, 'postgres'), [
      ...['-D', data, '-p', String(port), '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    ]),
    ...{ name: 'postgres', role: 'server', workingFolder: '/', environment },
  });
  await untilReady(server, READY_WITHIN_MS, async () => {
    const ready = await outputOf(join(binaries, 'pg_isready'), ['-h', '127.0.0.1', '-p', String(port)]);
    if (ready === undefined) throw new Error('pg_isready says no');
  });
  return { url: `postgresql://dbos:${password}@127.0.0.1:${port}/dbos_peer`, process: server };
}

async function newestBinaries(): Promise<string | undefined> {
  const versions = (await readdir(VERSIONS_FOLDER).catch(() => [])).map(Number).filter((version) => version > 0);
  return versions.length === 0 ? undefined : join(VERSIONS_FOLDER, String(Math.max(...versions)), 'bin');
}

async function installPostgres(supervisor: ProcessSupervisor): Promise<string> {
  if (process.getuid?.() !== 0) {
    throw new EnvironmentError(
      'DBOS needs PostgreSQL: `apt-get install postgresql`, or measure without it by --peers.',
    );
  }
  // Without a run level Debian does not start a server of its own.
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const aptGet = { role: 'tool', command: 'apt-get', environment } as const;
  await supervisor.run({ ...aptGet, name: 'apt-update', arguments: ['update'] });
  await supervisor.run({
    ...aptGet,
    name: 'apt-install-postgresql',
    arguments: ['install', '-y', '--no-install-recommends', 'postgresql'],
  });
  const binaries = await newestBinaries();
  if (binaries === undefined)
    throw new EnvironmentError(`apt-get install postgresql left nothing in ${VERSIONS_FOLDER}.`);
  return binaries;
}

/** How to run a command without privileges; hands the paths to that user when this is root. */
async function unprivileged(paths: readonly string[], parent: string) {
  if (process.getuid?.() !== 0) {
    return (command: string, commandArguments: readonly string[]) => ({ command, arguments: commandArguments });
  }
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async (flag) => Number(await outputOf('id', [flag, UNPRIVILEGED_USER]))),
  );
  if (!uid || !gid) throw new EnvironmentError(`There is no user ${UNPRIVILEGED_USER}, as which PostgreSQL would run.`);
  for (const path of paths) await chown(path, uid, gid);
  // So that the user reaches its folder.
  await chmod(parent, 0o711);
  const prefix = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
  return (command: string, commandArguments: readonly string[]) => ({
    command: 'setpriv',
    arguments: [...prefix, command, ...commandArguments],
  });
}
