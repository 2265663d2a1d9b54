import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../dev/environment/errors.ts';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import type { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { installPythonPackages } from '../../dev/environment/python-packages.ts';
import { cacheFolder } from '../../dev/environment/servers/cache.ts';
import type { Report } from '../../dev/environment/servers/options.ts';
import { succeeds } from '../../dev/kit/until.ts';

const run = promisify(execFile);

/** What the example in Python needs, with its versions. */
const REQUIREMENTS = join(PROJECT_FOLDER, 'examples/load-balancer-python/requirements.txt');

/** Where its packages are kept: under what its requirements are, so that a change of them is never missed. */
export function pythonPackagesFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const digest = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 16);
  return join(cacheFolder(environment), `load-balancer-python-${digest}`);
}

/** Whether the machine's Python can load Temporal's package from the cache. */
export async function hasPython(): Promise<boolean> {
  return succeeds(
    run('python3', ['-c', 'import temporalio.client'], {
      env: { ...process.env, PYTHONPATH: pythonPackagesFolder() },
    }),
  );
}

/** Why the example in Python cannot be tested here; null when it can. Installs its packages when they are missing. */
export async function pythonObstacle(options: {
  supervisor: ProcessSupervisor;
  environment: NodeJS.ProcessEnv;
  report: Report;
}): Promise<string | null> {
  const { supervisor, environment, report } = options;
  try {
    await installPythonPackages({
      supervisor,
      folder: pythonPackagesFolder(environment),
      label: 'Temporal for Python',
      requirementsFile: REQUIREMENTS,
      provingFile: join('temporalio', 'client', '__init__.py'),
      report,
    });
  } catch (error) {
    return messageOf(error);
  }
  return (await hasPython()) ? null : 'python3 does not load temporalio';
}
