import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { print, printError, printUncaughtErrors } from '../../../platform/text/print.ts';
import { visible } from '../../../platform/text/visible.ts';
import { EnvironmentError, messageOf } from '../../environment/errors.ts';
import { DEV_FOLDER } from '../../environment/paths.ts';
import { ProcessSupervisor } from '../../environment/processes.ts';
import { imagesOfCompose } from './compose-images.ts';
import type { Docker } from './docker.ts';
import { startEngine } from './engine.ts';
import { fetchEngine } from './engine-packages.ts';
import { fetchContext } from './fetch-context.ts';
import { NAME_SERVER } from './network.ts';
import { fetchStandInParts } from './stand-in-parts.ts';
import { buildStandIns } from './stand-ins.ts';
import { tryCompose } from './trial.ts';

/*
 * The part of `npm run test:compose` that runs in the network namespace which `main.ts` has made, and gets the name of the
 * control group for its containers.
 */

printUncaughtErrors();

const [controlGroup = '', ...options] = process.argv.slice(2);
const keepsImages = options.includes('--keep-images');
const started = performance.now();

function report(line: string): void {
  print(`${((performance.now() - started) / 1000).toFixed(0).padStart(5)} s  ${visible(line)}`);
}

const folder = join(DEV_FOLDER, 'compose');
const dataFolder = join(folder, 'data');
// Not in this project's folder, because the paths of sockets may have 107 characters only.
const runFolder = await mkdtemp(join(tmpdir(), 'rip-docker-'));
const supervisor = new ProcessSupervisor({
  folder,
  onUnexpectedExit: (failure) => printError(failure.message),
});
process.once('SIGINT', () => void supervisor.stop());
process.once('SIGTERM', () => void supervisor.stop());
try {
  if (!keepsImages) await rm(dataFolder, { recursive: true, force: true });
  const context = fetchContext(supervisor, report);
  const programs = await fetchEngine(context);
  const parts = await fetchStandInParts(context, programs);
  const docker = await startEngine({
    supervisor,
    programs,
    dataFolder,
    runFolder,
    controlGroup,
    nameServer: NAME_SERVER,
  });
  report(
    `Docker: ${await docker.output('version', '--format', '{{.Server.Version}}')}, Compose ${await docker.output('compose', 'version', '--short')}`,
  );
  const images = await imagesOfCompose();
  report(`building stand-ins of ${[...images.values()].join(', ')}`);
  await buildStandIns(docker, parts, { images, workFolder: join(runFolder, 'stand-ins') });
  // What an earlier run that kept its images may have left when it failed.
  await docker.run('compose-clean', 'compose', 'down', '--volumes');
  try {
    await tryCompose({ docker, base: images.get('node') ?? '', folder: runFolder, report });
  } catch (error) {
    await keepLogs(docker);
    throw error;
  }
  report('Compose serves the walk, and keeps its data');
} catch (error) {
  printError(error instanceof EnvironmentError ? error.message : visible(`Compose failed: ${messageOf(error)}`));
  process.exitCode = 1;
} finally {
  await supervisor.stop();
  await rm(runFolder, { recursive: true, force: true });
  if (!keepsImages) await rm(dataFolder, { recursive: true, force: true });
}

async function keepLogs(docker: Docker): Promise<void> {
  await docker.run('compose-containers', 'compose', 'ps', '--all').catch(() => undefined);
  await docker.run('compose-logs', 'compose', 'logs', '--timestamps').catch(() => undefined);
  printError(`The logs of the services are in ${join(folder, 'logs', 'compose-logs.log')}.`);
}
