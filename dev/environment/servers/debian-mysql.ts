import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../errors.ts';
import type { ProcessStart, ProcessSupervisor } from '../processes.ts';
import { untilReady } from '../ready.ts';
import { buildIntoCache, cacheFolder, exists, withProgress } from './cache.ts';
import { accessTo, type MysqlServer, pingMysql } from './database-access.ts';
import { packageFiles, unpackDebianPackage, withDebianPackages } from './debian-packages.ts';
import type { Report, ServerContext, ServerTls } from './options.ts';

/*
 * MySQL itself: the packages of Debian's unstable suite, unpacked and not installed, run under their own loader and
 * libraries. Nothing of this machine is changed, and root is not needed.
 */

const PACKAGE = 'mysql-server-core';
const SUITE = 'sid';
/** The mirror's signed index vouches for every package; of this version the bytes are known besides. */
const KNOWN = {
  version: '9.7.4-2',
  sha256: '628d2d7d2dc827507bcae80677a9950766b002bec2c658cb96343d9f324f8660',
};
const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const PROVING_FILE = 'usr/sbin/mysqld';
const READY_TIMEOUT_MS = 60_000;
/** What MySQL depends on by name and does not need for running. */
const UNNEEDED = /^(perl|libperl|mecab)/;

/** What getting MySQL needs. */
export interface DebianMysqlOptions {
  readonly supervisor: ProcessSupervisor;
  readonly environment: NodeJS.ProcessEnv;
  readonly report: Report;
}

/** The folder of the newest MySQL in the cache; null when there is none. Downloads nothing. */
export async function cachedDebianMysql(environment: NodeJS.ProcessEnv): Promise<string | null> {
  const cache = cacheFolder(environment);
  const names = await readdir(cache).catch((): string[] => []);
  const newest = names
    .filter((name) => /^mysql-\d[\w.+~-]*$/.test(name) && !name.includes('.draft-'))
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }))
    .at(-1);
  return newest !== undefined && (await exists(join(cache, newest, PROVING_FILE))) ? join(cache, newest) : null;
}

/**
 * Downloads MySQL into the cache, unless one is there, and answers its folder.
 *
 * @throws {EnvironmentError} when this machine has no way to it: no apt, no Debian mirror, no network.
 */
export async function fetchDebianMysql(options: DebianMysqlOptions): Promise<string> {
  const cached = await cachedDebianMysql(options.environment);
  if (cached !== null) return cached;
  return withProgress(options.report, 'MySQL: downloading it with apt-get', '77 MB, 340 MB unpacked', () =>
    withDebianPackages({ ...options, suite: SUITE, packages: [PACKAGE], purpose: 'mysql' }, (archives) =>
      unpack(options, archives),
    ),
  );
}

async function unpack({ supervisor, environment }: DebianMysqlOptions, archives: string): Promise<string> {
  const packages = (await packageFiles(archives)).filter((name) => !UNNEEDED.test(name));
  const server = packages.find((name) => name.startsWith(`${PACKAGE}_`));
  const version = server?.split('_')[1];
  if (server === undefined || version === undefined)
    throw new EnvironmentError(`apt-get has not downloaded ${PACKAGE}.`);
  const sha256 = createHash('sha256')
    .update(await readFile(join(archives, server)))
    .digest('hex');
  if (version === KNOWN.version && sha256 !== KNOWN.sha256) {
    throw new EnvironmentError(`${server} has the digest ${sha256}, and not ${KNOWN.sha256}.`);
  }
  const target = join(cacheFolder(environment), `mysql-${version.replace(/[^\w.+~-]/g, '_')}`);
  await buildIntoCache(target, PROVING_FILE, async (draft) => {
    for (const name of packages) {
      await unpackDebianPackage(supervisor, join(archives, name), { into: draft, purpose: 'mysql' });
    }
    // Which packages it is made of.
    await writeFile(join(draft, 'packages.txt'), `${packages.join('\n')}\n`);
  });
  return target;
}

/**
 * Starts MySQL on loopback, its data in `<dataFolder>/mysql-debian`, with the database and the user of the application,
 * and waits until it answers. As with MariaDB, the password is a new one at every start.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 */
export async function startDebianMysql(context: ServerContext): Promise<MysqlServer> {
  const { supervisor, dataFolder, tls } = context;
  const folder = await fetchDebianMysql(context);
  const access = accessTo(context);
  const initFile = join(dataFolder, 'mysql-debian-init.sql');
  await mkdir(dataFolder, { recursive: true });
  await writeFile(initFile, access.initSql, { mode: 0o600 });
  const data = join(dataFolder, 'mysql-debian');
  await initialize(supervisor, folder, data);
  const server = await supervisor.start(
    mysqld(folder, data, {
      name: 'mysql',
      role: 'server',
      options: [
        ...[`--init-file=${initFile}`, '--socket=mysql.sock', '--pid-file=mysql.pid', '--bind-address=127.0.0.1'],
        ...[`--port=${context.ports.mysql}`, '--skip-name-resolve', '--max-connections=500'],
        ...['--default-time-zone=+00:00', ...tlsOptions(tls)],
      ],
    }),
  );
  await untilReady(server, READY_TIMEOUT_MS, () => pingMysql(access.settings));
  return { url: access.url, process: server };
}

/** Makes the server's own tables under a temporary name first, so that a data folder that exists is always whole. */
async function initialize(supervisor: ProcessSupervisor, folder: string, data: string): Promise<void> {
  if (await exists(data)) return;
  const draft = `${data}.draft`;
  await rm(draft, { recursive: true, force: true });
  const options = ['--initialize-insecure'];
  await supervisor.run(mysqld(folder, draft, { name: 'mysql-initialize', role: 'tool', options }));
  await rename(draft, data);
}

function mysqld(
  folder: string,
  data: string,
  { name, role, options }: Pick<ProcessStart, 'name' | 'role'> & { readonly options: readonly string[] },
): ProcessStart {
  return {
    ...{ name, role, command: join(folder, LIBRARIES, 'ld-linux-x86-64.so.2') },
    arguments: [
      ...['--library-path', [LIBRARIES, 'usr/lib/mysql/private'].map((path) => join(folder, path)).join(':')],
      ...[join(folder, PROVING_FILE), '--no-defaults', `--basedir=${join(folder, 'usr')}`],
      `--datadir=${data}`,
      `--lc-messages-dir=${join(folder, 'usr/share/mysql')}`,
      `--plugin-dir=${join(folder, 'usr/lib/mysql/plugin')}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ...['--secure-file-priv=NULL', '--mysqlx=OFF', '--innodb-log-writer-threads=OFF', '--performance-schema=OFF'],
      ...['--innodb-buffer-pool-size=128M', '--innodb-redo-log-capacity=96M', '--skip-log-bin'],
      ...options,
    ],
  };
}

function tlsOptions(tls: ServerTls | undefined): string[] {
  if (tls === undefined) return ['--tls-version='];
  return [`--ssl-ca=${tls.certificateAuthority}`, `--ssl-cert=${tls.certificate}`, `--ssl-key=${tls.key}`];
}
