import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { installPythonPackages } from '../../dev/environment/python-packages.ts';
import type { Report } from '../../dev/environment/servers/options.ts';

const VERSION = '4.32.5';
const REQUIREMENTS = fileURLToPath(new URL('./requirements.txt', import.meta.url));
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
  await installPythonPackages({
    supervisor,
    folder,
    label: 'Schemathesis',
    requirementsFile: REQUIREMENTS,
    provingFile: COMMAND,
    report,
  });
  return { command: join(folder, COMMAND), environment: { ...process.env, PYTHONPATH: folder } };
}
