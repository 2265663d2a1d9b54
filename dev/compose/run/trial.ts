import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { z } from 'zod';
import { EnvironmentError } from '../../environment/errors.ts';
import type { Report } from '../../environment/servers/options.ts';
import { walk } from '../../environment/walk.ts';
import { until } from '../../kit/until.ts';
import { ComposeProject } from './compose-project.ts';
import { API_URL, assertWebUi, readDemoToken, readStored, reserveForDroplet, type Stored } from './demo.ts';
import type { Docker } from './docker.ts';
import { checkContainers, checkShippedImage } from './image-checks.ts';

const STOP_TIMEOUT_SECONDS = '60';

/** What a trial needs. */
export interface TrialOptions {
  readonly docker: Docker;
  /** The image that the shipped one is based on. */
  readonly base: string;
  /** For files with tokens; gone afterwards. */
  readonly folder: string;
  readonly report: Report;
}

/**
 * Brings everything of `docker-compose.yml` up as the README says, uses it from outside, restarts each service, kills all
 * of them at once, takes everything down and up again, and removes it.
 *
 * @throws {EnvironmentError} with the first thing that is not as it should be.
 */
export async function tryCompose(options: TrialOptions): Promise<void> {
  const { docker, report } = options;
  const project = await ComposeProject.read(docker);
  report('docker compose up --build');
  await project.run('compose-up', 'up', '--build', '--detach');
  const healthy = await project.untilSettled();
  report(
    `up: ${project.lasting.length} services run, ${project.services.length - project.lasting.length} have ended with code 0`,
  );
  report(`healthy: ${healthy.join(', ')}`);
  const { all, own } = await checkShippedImage(project, options.base);
  report(`the image is ${Math.round(all)} MiB, of which ${Math.round(own)} are not of its base; no sources, no tools`);
  await checkContainers(project);
  report('every service of the application runs as an ordinary user on a file system that it cannot change');

  const token = await readDemoToken(project, join(options.folder, 'env'));
  const walkAs = async (who: string) => {
    await walk({ apiUrl: API_URL, token: who, report });
  };
  report('the walk from outside:');
  await walkAs(token);
  await assertWebUi();
  const address = await reserveForDroplet(token);
  await reportMemory(docker, report);

  for (const { name } of project.lasting) {
    await project.run(`restart-${name}`, 'restart', '--timeout', STOP_TIMEOUT_SECONDS, name);
    await project.untilSettled();
    report(`${name} restarted; the walk:`);
    await walkAs(token);
  }
  await killAll(project);
  await project.untilSettled();
  report('every container was killed, and is back; the walk:');
  await walkAs(token);

  const before = await readStored(token, address);
  report(`stored: ${describe(before)}`);
  await project.run('compose-down', 'down', '--timeout', STOP_TIMEOUT_SECONDS);
  await project.run('compose-up-again', 'up', '--detach');
  await project.untilSettled();
  const sameToken = await readDemoToken(project, join(options.folder, 'env'));
  if (sameToken !== token) throw new EnvironmentError('The token of the demo is another after `down` and `up`.');
  const after = await readStored(token, address);
  report(`stored after \`down\` and \`up\`: ${describe(after)}`);
  deepStrictEqual(ofAddress(after), ofAddress(before));
  // Scheduled workflows may have run meanwhile, and the last billing events been published.
  if (after.workflows < before.workflows) throw new EnvironmentError('Temporal has lost workflows.');
  if (after.billingEvents < before.billingEvents) throw new EnvironmentError('Kafka has lost billing events.');
  await walkAs(token);
  await project.run('consistency', 'exec', '-T', 'worker', 'node', 'dist/ops/consistency/main.js');
  report('the consistency check finds no violation');

  await project.run('compose-remove', 'down', '--volumes', '--timeout', STOP_TIMEOUT_SECONDS);
  const left = await Promise.all([
    docker.output('ps', '--all', '--quiet'),
    docker.output('volume', 'ls', '--quiet', '--filter', 'name=reserved-ip'),
  ]);
  if (left.join('') !== '') throw new EnvironmentError(`\`down --volumes\` has left ${left.join(' ')}`);
}

function ofAddress({ dropletId, addresses, actions }: Stored): Partial<Stored> {
  return { dropletId, addresses, actions };
}

/** As when the power fails: the engine starts them again, since nobody has asked them to end. */
async function killAll(project: ComposeProject): Promise<void> {
  const ids = (await project.containers()).filter(({ State }) => State === 'running').map(({ ID }) => ID);
  const pids = await project.docker.output('inspect', '--format', '{{.State.Pid}}', ...ids);
  for (const pid of z.array(z.coerce.number().int().positive()).parse(pids.split('\n'))) process.kill(pid, 'SIGKILL');
  await untilStartedAgain(project.docker, ids);
}

async function untilStartedAgain(docker: Docker, ids: readonly string[]): Promise<void> {
  await until(
    'every container is started again',
    async () => {
      const counts = await docker.output('inspect', '--format', '{{.RestartCount}}', ...ids);
      return counts.split('\n').every((count) => Number(count) > 0);
    },
    60_000,
  );
}

async function reportMemory(docker: Docker, report: Report): Promise<void> {
  const usage = await docker.output('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}}');
  for (const line of usage.split('\n').sort()) report(`  memory: ${line}`);
}

function describe({ addresses, actions, workflows, billingEvents }: Stored): string {
  return `${addresses.length} addresses, ${actions.length} actions of it, ${workflows} workflows, ${billingEvents} billing events`;
}
