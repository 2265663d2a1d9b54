import { join } from 'node:path';
import type { ProcessSupervisor } from '../../stack/processes.ts';
import { buildIntoCache, withProgress } from '../../stack/servers/cache.ts';
import type { Report } from '../../stack/servers/options.ts';

const VERSION = '4.32.5';
const COMMAND = join('bin', 'schemathesis');

/** Where Schemathesis is put, and who is told. */
export interface InstallOptions {
  supervisor: ProcessSupervisor;
  cacheFolder: string;
  report: Report;
}

/** How to run Schemathesis. */
export interface Schemathesis {
  command: string;
  environment: NodeJS.ProcessEnv;
}

/** Installs Schemathesis into the cache with the machine's Python, unless it is there. */
export async function installSchemathesis({ supervisor, cacheFolder, report }: InstallOptions): Promise<Schemathesis> {
  const folder = join(cacheFolder, `schemathesis-${VERSION}`);
  // Packages in a plain folder, because a virtual environment could not be moved into place.
  const install = (draft: string) =>
    supervisor.run({
      name: 'pip-install',
      role: 'tool',
      command: 'python3',
      arguments: ['-m', 'pip', 'install', '-q', '--target', draft, `schemathesis==${VERSION}`],
      environment: process.env,
    });
  await buildIntoCache(folder, COMMAND, (draft) =>
    withProgress(report, 'Schemathesis: installing it with pip', `kept in ${folder}`, () => install(draft)),
  );
  return { command: join(folder, COMMAND), environment: { ...process.env, PYTHONPATH: folder } };
}
