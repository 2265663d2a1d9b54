import type { ProcessSupervisor } from './processes.ts';
import { buildIntoCache, withProgress } from './servers/cache.ts';
import type { Report } from './servers/options.ts';
import { outputOf } from './servers/tools.ts';

/** What {@link installPythonPackages} is to install. */
export interface PythonPackages {
  readonly supervisor: ProcessSupervisor;
  /** Where the packages are to be, in the cache. */
  readonly folder: string;
  /** What is installed, for whoever waits. */
  readonly label: string;
  /** File that names each package with its version and the digests that its files may have. */
  readonly requirementsFile: string;
  /** A file that is there when they are installed. */
  readonly provingFile: string;
  readonly report: Report;
  /** Further words for whoever waits, such as how large it is. */
  readonly details?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** Looks at what was installed before it is kept; it is not when this rejects. */
  readonly verify?: (draft: string) => Promise<void>;
}

/** Commands that install from the machine's own configured index, the usual one first. */
const INSTALLERS = [['python3', '-m', 'pip'], ['pip3'], ['uv', 'pip']] as const;

/** The first command of this machine that installs Python packages; undefined when there is none. */
export async function pythonInstaller(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<(typeof INSTALLERS)[number] | undefined> {
  for (const installer of INSTALLERS) {
    const [command, ...words] = installer;
    const output = await outputOf(command, [...words, '--help'], environment);
    if (output !== undefined) return installer;
  }
  return undefined;
}

/**
 * Installs packages into the cache with what this machine has for that, unless they are there. They are in a plain folder
 * for PYTHONPATH, because a virtual environment could not be moved into place. A file whose digest is not named is refused,
 * and so is one that would have to be built here, since that would run whatever its own build asks for.
 *
 * @throws {EnvironmentError} when there is no Python 3 with pip, or pip fails.
 */
export async function installPythonPackages(packages: PythonPackages): Promise<void> {
  const { supervisor, folder, label, requirementsFile, provingFile, report } = packages;
  const { environment = process.env, verify = () => Promise.resolve() } = packages;
  const details = [...(packages.details === undefined ? [] : [packages.details]), `kept in ${folder}`].join('; ');
  const install = async (draft: string) => {
    const [command, ...words] = (await pythonInstaller(environment)) ?? INSTALLERS[0];
    await supervisor.run({
      name: 'pip-install',
      role: 'tool',
      command,
      arguments: [
        ...[...words, 'install', '-q', '--target', draft],
        ...[command === 'uv' ? '--no-cache' : '--no-cache-dir', '--require-hashes', '--only-binary', ':all:'],
        ...['-r', requirementsFile],
      ],
      environment,
    });
    await verify(draft);
  };
  await buildIntoCache(folder, provingFile, (draft) =>
    withProgress(report, `${label}: installing it with pip`, details, () => install(draft)),
  );
}
