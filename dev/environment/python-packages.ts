import type { ProcessSupervisor } from './processes.ts';
import { buildIntoCache, withProgress } from './servers/cache.ts';
import type { Report } from './servers/options.ts';

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
}

/**
 * Installs packages into the cache with the machine's Python, unless they are there. They are in a plain folder for
 * PYTHONPATH, because a virtual environment could not be moved into place. A file whose digest is not named is refused,
 * and so is one that would have to be built here, since that would run whatever its own build asks for.
 *
 * @throws {StackError} when there is no Python 3 with pip, or pip fails.
 */
export async function installPythonPackages(packages: PythonPackages): Promise<void> {
  const { supervisor, folder, label, requirementsFile, provingFile, report } = packages;
  const install = (draft: string) =>
    supervisor.run({
      name: 'pip-install',
      role: 'tool',
      command: 'python3',
      arguments: [
        ...['-m', 'pip', 'install', '-q', '--no-cache-dir', '--target', draft],
        ...['--require-hashes', '--only-binary', ':all:', '-r', requirementsFile],
      ],
      environment: process.env,
    });
  await buildIntoCache(folder, provingFile, (draft) =>
    withProgress(report, `${label}: installing it with pip`, `kept in ${folder}`, () => install(draft)),
  );
}
