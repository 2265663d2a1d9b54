import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { print, printError, printUncaughtErrors } from '../../../platform/text/print.ts';
import { visible } from '../../../platform/text/visible.ts';
import { EnvironmentError, messageOf } from '../../environment/errors.ts';
import { whenParentEnds } from '../../environment/parent.ts';
import { DEV_FOLDER } from '../../environment/paths.ts';
import { ProcessSupervisor } from '../../environment/processes.ts';
import { runScript } from '../../testbed/control.ts';
import { fetchEngine } from './engine-packages.ts';
import { fetchContext } from './fetch-context.ts';
import { createEngineNetwork } from './network.ts';
import { fetchStandInParts } from './stand-in-parts.ts';

/*
 * `npm run test:compose`: everything of `docker-compose.yml`, on a Docker engine of its own in a network namespace of its
 * own. No image can be pulled here: each image of a registry is stood in for by one that is built from Debian's packages,
 * npm's `node`, the Kafka of `npm start` and the Temporal server, under the very same name. So what this cannot try are the
 * published images themselves, and MySQL 8.4: the database is MySQL 9.7.
 *
 * `--keep-images` leaves the engine's images and build cache for the next run, which is quicker then.
 */

printUncaughtErrors();

const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url));
const started = performance.now();

function report(line: string): void {
  print(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${visible(line)}`);
}

whenParentEnds(() => process.kill(process.pid, 'SIGTERM'));
const supervisor = new ProcessSupervisor({ folder: join(DEV_FOLDER, 'compose', 'outside') });
try {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new EnvironmentError('A Docker engine needs Linux and root.');
  const context = fetchContext(supervisor, report);
  const programs = await fetchEngine(context);
  await fetchStandInParts(context, programs);
  const network = await createEngineNetwork(supervisor, programs);
  try {
    process.exitCode = await runScript(INSIDE, [network.controlGroup, ...process.argv.slice(2)], {
      prefix: ['nsenter', `--net=/run/netns/${network.namespace.name}`],
    });
  } finally {
    await network.remove();
  }
} catch (error) {
  printError(
    error instanceof EnvironmentError ? error.message : visible(`Compose could not be tried: ${messageOf(error)}`),
  );
  process.exitCode = 1;
} finally {
  await supervisor.stop();
}
