import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvironmentError } from '../errors.ts';
import type { ProcessSupervisor } from '../processes.ts';
import { exists } from './cache.ts';
import { outputOf } from './tools.ts';

/*
 * Packages of any of Debian's suites, downloaded with apt and unpacked, and not installed: nothing of this machine is
 * changed, and root is not needed.
 */

/** Whose signatures are believed. */
export const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Which packages to download. */
export interface DebianPackages {
  readonly supervisor: ProcessSupervisor;
  readonly environment: NodeJS.ProcessEnv;
  /** `sid`, for example. */
  readonly suite: string;
  /** Names of packages; what they depend on comes along. */
  readonly packages: readonly string[];
  /** What they are for: part of the names of the log files. */
  readonly purpose: string;
}

/**
 * Downloads packages with all that they depend on, as if nothing were installed, and hands the folder of their files to
 * `use`. The folder is gone afterwards. The mirror's signed index vouches for every file.
 *
 * @throws {EnvironmentError} when this machine has no way to them: no apt, no Debian mirror, no network.
 */
export async function withDebianPackages<Result>(
  options: DebianPackages,
  use: (archives: string) => Promise<Result>,
): Promise<Result> {
  const mirror = await debianMirror();
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-apt-'));
  try {
    const configuration = await writeAptState(folder, mirror, options.suite);
    const environment = { ...options.environment, APT_CONFIG: configuration };
    const apt = (step: string, ...rest: string[]) =>
      options.supervisor.run({
        name: `${options.purpose}-apt-${step}`,
        role: 'tool',
        command: 'apt-get',
        arguments: rest,
        environment,
      });
    await apt('update', 'update', '-q');
    await apt('download', 'install', '-q', '-y', '--download-only', ...options.packages);
    return await use(join(folder, 'cache', 'archives'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The files of packages in a folder of archives. */
export async function packageFiles(archives: string): Promise<string[]> {
  return (await readdir(archives)).filter((name) => name.endsWith('.deb')).sort();
}

/** Unpacks the file of a package into a folder. */
export async function unpackDebianPackage(
  supervisor: ProcessSupervisor,
  file: string,
  { into, purpose }: { into: string; purpose: string },
): Promise<void> {
  await supervisor.run({
    name: `${purpose}-unpack`,
    role: 'tool',
    command: 'dpkg-deb',
    arguments: ['-x', file, into],
  });
}

/**
 * The mirror that this machine installs Debian from. Its name is nowhere in this project.
 *
 * @throws {EnvironmentError} with what is missing on this machine.
 */
export async function debianMirror(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new EnvironmentError("Debian's packages are used on Linux with x64 only.");
  }
  if ((await outputOf('apt-get', ['--version'])) === undefined) throw new EnvironmentError('There is no apt-get.');
  if ((await outputOf('dpkg-deb', ['--version'])) === undefined) throw new EnvironmentError('There is no dpkg-deb.');
  if (!(await exists(DEBIAN_KEYRING)))
    throw new EnvironmentError(`There is no ${DEBIAN_KEYRING} to check signatures with.`);
  const folder = '/etc/apt/sources.list.d';
  const names = await readdir(folder).catch((): string[] => []);
  const files = ['/etc/apt/sources.list', ...names.map((name) => join(folder, name))];
  for (const file of files.filter((name) => /\.(list|sources)$/.test(name))) {
    const mirror = mirrorIn(await readFile(file, 'utf8').catch(() => ''));
    if (mirror !== null) return mirror;
  }
  throw new EnvironmentError("None of apt's sources on this machine is a mirror of Debian.");
}

/** The first mirror in a file of sources, of either format; null when it has none. */
function mirrorIn(sources: string): string | null {
  const lines = sources.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const candidates = lines.flatMap((line) => {
    const [first = '', ...rest] = line.trim().split(/\s+/);
    if (/^uris:$/i.test(first)) return rest;
    return first === 'deb' ? rest.filter((word) => word.includes('://')).slice(0, 1) : [];
  });
  return candidates.find((uri) => /^(https?|file|cdrom|mirror\+\w+):\/\/\S*\/debian\/?$/.test(uri)) ?? null;
}

function aptSource(mirror: string, suite: string): string {
  const source = { Types: 'deb', URIs: mirror, Suites: suite, Components: 'main', 'Signed-By': DEBIAN_KEYRING };
  return Object.entries(source)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

/** Lets apt work in a folder of its own, as if nothing were installed; answers the path of its configuration. */
async function writeAptState(folder: string, mirror: string, suite: string): Promise<string> {
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'sources']) {
    await mkdir(join(folder, name), { recursive: true });
  }
  await writeFile(join(folder, 'status'), '');
  await writeFile(join(folder, 'sources', 'debian.sources'), aptSource(mirror, suite));
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
