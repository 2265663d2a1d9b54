import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startOptions } from '../../client/start-options.ts';
import { startWorker } from '../../dev/environment/application.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { until } from '../../dev/kit/until.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { useLink } from '../support/link.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useReserved } from '../support/reserved.ts';

/** State of a pending activity that has begun, in Temporal's API. */
const STARTED = 2;

/** Of whoever admits an operation. */
const TIMEOUTS = { HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '8000', HOST_ACKNOWLEDGMENT_ATTEMPTS: '2' };

let environment: PrivateEnvironment;
beforeAll(async () => {
  environment = await createPrivateEnvironment({ settings: TIMEOUTS });
  return environment.close;
});

describe('an operation', () => {
  test('is accepted while every worker is down, and carried through by the next one', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1, apiUrl: environment.apiUrl });

    const action = await account.startAssign(ip, droplet);

    await until('the host had attached it already', async () => world.agents[0]?.driver.attachments.has(ip));
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: true });
    expect(await account.requestUnassign(ip)).toMatchObject({
      status: 422,
      body: { message: 'The reserved IP already has a pending event.' },
    });

    const worker = await environment.startWorker();
    await account.completed(action);
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    await worker.stop();
  });

  test('whose API process died after the start and before the admission is admitted by a worker', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1, apiUrl: environment.apiUrl });
    const worker = await environment.startWorker();
    const operation = assignOperation(account.id, ip, droplet, 10_000);

    // All that the process got done: the first half of an accepted request.
    const handle = await environment.temporal.workflow.start(operation.kind, startOptions(operation));

    expect(await handle.result()).toMatchObject({ kind: 'completed', address: ip });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    expect(world.agents[0]?.driver.attachments.get(ip)).toMatchObject({ dropletId: droplet });
    await worker.stop();
  });

  test('that no worker took up in its time is rejected for good, and changes nothing', async () => {
    const { account, droplet, ip } = await useReserved({ agents: 1, apiUrl: environment.apiUrl });
    const operation = assignOperation(account.id, ip, droplet, -1);
    const handle = await environment.temporal.workflow.start(operation.kind, startOptions(operation));

    const worker = await environment.startWorker();

    expect(await handle.result()).toMatchObject({ kind: 'refused', refusal: 'expired' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    expect((await account.http.get('/v2/actions')).text).not.toContain('assign_ip');
    await worker.stop();
  });

  test('whose worker is killed in the middle of it is carried through by another one', async () => {
    const { world, account, droplet, ip } = await useReserved({
      agents: 0,
      manualHosts: 1,
      apiUrl: environment.apiUrl,
    });
    const doomed = await startWorkerProcess();
    const action = await account.startAssign(ip, droplet);
    const handle = environment.temporal.workflow.getHandle(`reserved-ip/${ip}`);
    await until('the operation waited for its host', async () => {
      const described = await handle.describe().catch(() => null);
      return described?.raw.pendingActivities?.length === 1;
    });

    process.kill(doomed.pid, 'SIGKILL');
    await doomed.exited;
    await world.manualHosts[0]?.confirm(ip, 'attach');
    expect(await account.action(action.id)).toMatchObject({ status: 'in-progress' });

    const worker = await environment.startWorker();
    await until(
      'the operation was completed',
      async () => (await account.action(action.id)).status === 'completed',
      40_000,
    );
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    await worker.stop();
  });
});

test('a failure of MySQL that ends in time does not count as a failure of the host', { timeout: 120_000 }, async () => {
  const { world, account, droplet, ip } = await useReserved({ agents: 0, manualHosts: 1, apiUrl: environment.apiUrl });
  const url = new URL(inject('environment').mysqlUrl);
  const link = await useLink(url.host);
  const mysqlUrl = inject('environment').mysqlUrl.replace(url.host, link.address);
  await startWorkerProcess({ mysqlUrl });
  const action = await account.startAssign(ip, droplet);
  const handle = environment.temporal.workflow.getHandle(`reserved-ip/${ip}`);
  const isInAttempt = async (attempt: number) => {
    // The workflow is started after the answer.
    const described = await handle.describe().catch(() => null);
    const pending = described?.raw.pendingActivities ?? [];
    return pending.some((activity) => activity.attempt === attempt && activity.state === STARTED);
  };
  await until('the operation waited for its host', () => isInAttempt(1));

  link.become('refusing');
  await until('the wait was tried again, for the last time', () => isInAttempt(2));
  link.become('open');
  await world.manualHosts[0]?.confirm(ip, 'attach');

  await until('it was completed', async () => (await account.action(action.id)).status === 'completed', 40_000);
  expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
});

function assignOperation(accountId: number, address: string, dropletId: number, windowMs: number): AssignOperation {
  return {
    id: newOperationId(),
    kind: 'assign',
    accountId,
    resourceType: 'reserved_ip',
    admitBefore: new Date(Date.now() + windowMs).toISOString(),
    address,
    dropletId,
  };
}

/** A worker of the private environment as a process, killed at the latest when the running test is over. */
async function startWorkerProcess({ mysqlUrl = inject('environment').mysqlUrl }: { mysqlUrl?: string } = {}) {
  const { kafkaBrokers, temporalAddress, adminToken, workflowBundle } = inject('environment');
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-worker-'));
  const supervisor = new ProcessSupervisor({ folder });
  onTestFinished(async () => {
    await supervisor.stop();
    await rm(folder, { recursive: true, force: true });
  });
  return startWorker(
    {
      supervisor,
      servers: { mysqlUrl, kafkaBrokers, temporalAddress },
      adminToken,
      environment: {
        ...process.env,
        TEMPORAL_NAMESPACE: environment.namespace,
        HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '20000',
      },
    },
    { name: 'worker', workflowBundle },
  );
}
