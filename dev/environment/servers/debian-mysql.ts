import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StackError } from '../errors.ts';
import type { ProcessStart, ProcessSupervisor, RunningProcess } from '../processes.ts';
import { untilReady } from '../ready.ts';
import { buildIntoCache, cacheFolder, exists, withProgress } from './cache.ts';
import { type MysqlServer, pingMysql } from './mysql.ts';
import type { Report } from './options.ts';
import { outputOf } from './tools.ts';

/*
 * MySQL itself, for tests: the packages of Debian's unstable suite, unpacked and not installed, run under their own
 * loader and libraries. Nothing of this machine is changed, and root is not needed.
 */

const PACKAGE = 'mysql-server-core';
const SUITE = 'sid';
/** The mirror's signed index vouches for every package; of this version the bytes are known besides. */
const KNOWN = {
  version: '9.7.4-2',
  sha256: '628d2d7d2dc827507bcae80677a9950766b002bec2c658cb96343d9f324f8660',
};
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
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
 * @throws {StackError} when this machine has no way to it: no apt, no Debian mirror, no network.
 */
export async function fetchDebianMysql(options: DebianMysqlOptions): Promise<string> {
  const cached = await cachedDebianMysql(options.environment);
  if (cached !== null) return cached;
  const mirror = await debianMirror();
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-apt-'));
  try {
    const environment = { ...options.environment, APT_CONFIG: await writeAptState(folder, mirror) };
    const apt = (name: string, ...rest: string[]) =>
      options.supervisor.run({ name, role: 'tool', command: 'apt-get', arguments: rest, environment });
    await withProgress(options.report, 'MySQL: downloading it with apt-get', '77 MB, 340 MB unpacked', async () => {
      await apt('mysql-apt-update', 'update', '-q');
      await apt('mysql-apt-download', 'install', '-q', '-y', '--download-only', PACKAGE);
    });
    return await unpack(options, join(folder, 'cache', 'archives'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The mirror that this machine installs Debian from. Its name is nowhere in this project. */
async function debianMirror(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new StackError('MySQL from Debian runs on Linux with x64 only.');
  }
  if ((await outputOf('apt-get', ['--version'])) === undefined) throw new StackError('There is no apt-get.');
  if ((await outputOf('dpkg-deb', ['--version'])) === undefined) throw new StackError('There is no dpkg-deb.');
  if (!(await exists(KEYRING))) throw new StackError(`There is no ${KEYRING} to check signatures with.`);
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch((): string[] => []);
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))];
  for (const file of files.filter((name) => /\.(list|sources)$/.test(name))) {
    const mirror = mirrorIn(await readFile(file, 'utf8').catch(() => ''));
    if (mirror !== null) return mirror;
  }
  throw new StackError("None of apt's sources on this machine is a mirror of Debian.");
}

/** The first mirror in a file of sources, of either format; null when it has none. Exported for its test. */
export function mirrorIn(sources: string): string | null {
  const lines = sources.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const candidates = lines.flatMap((line) => {
    const [first = '', ...rest] = line.trim().split(/\s+/);
    if (/^uris:$/i.test(first)) return rest;
    return first === 'deb' ? rest.filter((word) => word.includes('://')).slice(0, 1) : [];
  });
  return candidates.find((uri) => /^(https?|file|cdrom|mirror\+\w+):\/\/\S*\/debian\/?$/.test(uri)) ?? null;
}

/** Lets apt work in a folder of its own, as if nothing were installed; answers the path of its configuration. */
async function writeAptState(folder: string, mirror: string): Promise<string> {
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'sources']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'status'), '');
  const source = { Types: 'deb', URIs: mirror, Suites: SUITE, Components: 'main', 'Signed-By': KEYRING };
  const lines = Object.entries(source).map(([name, value]) => `${name}: ${value}\n`);
  await writeFile(join(folder, 'sources', 'debian.sources'), lines.join(''));
  const settings: Record<string, string> = {
    'Dir::State': join(folder, 'state'),
    'Dir::State::status': join(folder, 'status'),
    'Dir::Cache': join(folder, 'cache'),
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': join(folder, 'sources'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Sandbox::User': '',
    'APT::Install-Recommends': 'false',
    'Acquire::Languages': 'none',
    // Other users' packages must never come in by a switched-off check.
    'APT::Get::AllowUnauthenticated': 'false',
    'Acquire::AllowInsecureRepositories': 'false',
    'Debug::NoLocking': 'true',
  };
  const file = join(folder, 'apt.conf');
  await writeFile(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  return file;
}

async function unpack({ supervisor, environment }: DebianMysqlOptions, archives: string): Promise<string> {
  const packages = (await readdir(archives)).filter((name) => name.endsWith('.deb') && !UNNEEDED.test(name));
  const server = packages.find((name) => name.startsWith(`${PACKAGE}_`));
  const version = server?.split('_')[1];
  if (server === undefined || version === undefined) throw new StackError(`apt-get has not downloaded ${PACKAGE}.`);
  const sha256 = createHash('sha256')
    .update(await readFile(join(archives, server)))
    .digest('hex');
  if (version === KNOWN.version && sha256 !== KNOWN.sha256) {
    throw new StackError(`${server} has the digest ${sha256}, and not ${KNOWN.sha256}.`);
  }
  const target = join(cacheFolder(environment), `mysql-${version.replace(/[^\w.+~-]/g, '_')}`);
  await buildIntoCache(target, PROVING_FILE, async (draft) => {
    for (const name of packages) {
      const start: ProcessStart = {
        name: 'mysql-unpack',
        role: 'tool',
        command: 'dpkg-deb',
        arguments: ['-x', join(archives, name), draft],
      };
      await supervisor.run(start);
    }
    // Which packages it is made of.
    await writeFile(join(draft, 'packages.txt'), `${packages.sort().join('\n')}\n`);
  });
  return target;
}

/** What {@link startDebianMysql} needs to know. */
export interface StartOptions {
  readonly supervisor: ProcessSupervisor;
  /** From {@link fetchDebianMysql}. */
  readonly folder: string;
  readonly dataFolder: string;
  readonly port: number;
  /** Statements of its first start, one in each line. */
  readonly initSql: string;
  /** Where to reach it once it answers, with the user and database that `initSql` makes. */
  readonly url: string;
}

/**
 * Starts MySQL on loopback, its data in `<dataFolder>/mysql`, and waits until it answers.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 */
export async function startDebianMysql(options: StartOptions): Promise<MysqlServer> {
  const { supervisor, folder, dataFolder, port, initSql, url } = options;
  const initFile = join(dataFolder, 'mysql-init.sql');
  await mkdir(dataFolder, { recursive: true });
  await writeFile(initFile, initSql, { mode: 0o600 });
  const run = (name: string, ...rest: string[]): ProcessStart => ({
    ...{ name, role: 'server', command: join(folder, LIBRARIES, 'ld-linux-x86-64.so.2') },
    arguments: [
      ...['--library-path', [LIBRARIES, 'usr/lib/mysql/private'].map((path) => join(folder, path)).join(':')],
      ...[join(folder, PROVING_FILE), '--no-defaults', `--basedir=${join(folder, 'usr')}`],
      `--datadir=${join(dataFolder, 'mysql')}`,
      `--lc-messages-dir=${join(folder, 'usr/share/mysql')}`,
      `--plugin-dir=${join(folder, 'usr/lib/mysql/plugin')}`,
      ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ...['--secure-file-priv=NULL', '--mysqlx=OFF', '--innodb-log-writer-threads=OFF', '--performance-schema=OFF'],
      ...['--innodb-buffer-pool-size=128M', '--innodb-redo-log-capacity=96M', '--skip-log-bin'],
      ...rest,
    ],
  });
  await supervisor.run({ ...run('mysql-initialize', '--initialize-insecure'), role: 'tool' });
  const server: RunningProcess = await supervisor.start(
    run(
      'mysql-debian',
      ...[`--init-file=${initFile}`, '--socket=mysql.sock', '--pid-file=mysql.pid', '--bind-address=127.0.0.1'],
      ...[`--port=${port}`, '--skip-name-resolve', '--max-connections=300', '--default-time-zone=+00:00'],
    ),
  );
  await untilReady(server, READY_TIMEOUT_MS, () => pingMysql({ url }));
  return { url, process: server };
}
