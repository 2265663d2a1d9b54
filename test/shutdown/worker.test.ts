import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { createNamespace } from '../support/private-environment.ts';
import { ready, startApiProcess, startWorkerProcess } from '../support/processes.ts';
import { useCustomer } from '../support/reserved.ts';
import { type AcceptedOperation, prepareLanes, Traffic } from '../support/traffic.ts';

/** What docs/running.md says: at most 15 s. */
const AT_MOST_MS = 15_000;
/** Servers before 1.31 may give a task to a poll that the worker is taking back; another worker has it after 10 s. */
const LOST_TASK_MS = 10_000;

let temporal: Client;
beforeAll(async () => {
  temporal = await createNamespace();
});
afterAll(() => temporal?.connection.close());

test('a worker that is asked to stop finishes what it runs, and others take over what waits', async () => {
  const environment = { TEMPORAL_NAMESPACE: temporal.options.namespace, HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '60000' };
  const [api, worker] = await Promise.all([startApiProcess(environment), startWorkerProcess(environment)]);
  await ready(api);
  const { world, account } = await useCustomer({ agents: 2, manualHosts: 1, apiUrl: api.url });
  const dropletIds = await world.droplets(account, 9);
  const [manual] = world.manualHosts;
  const waiting = { ip: await account.reserve(world.region), dropletId: dropletIds[2] ?? 0 };
  const onAgents = dropletIds.filter((_, index) => index % 3 !== 2);
  const lanes = await prepareLanes(account, world.region, onAgents);
  const traffic = new Traffic({ account, urls: [api.url], lanes });
  const action = await account.startAssign(waiting.ip, waiting.dropletId);
  await manual?.command(waiting.ip, 'attach');
  await until('the only worker is at work', async () => traffic.operations.length > 8, 60_000);
  const other = await startWorkerProcess(environment);

  const signalledAt = performance.now();
  worker.signal('SIGTERM');
  const { code } = await worker.ended();
  const stoppedAt = performance.now();
  const stoppedAfter = stoppedAt - signalledAt;
  await until(
    'operations go on',
    async () => traffic.between(signalledAt, Number.POSITIVE_INFINITY, 'write').length > 20,
    60_000,
  );
  await manual?.confirm(waiting.ip, 'attach');
  await account.completed(action);
  await traffic.stop();

  const slowest = slowestOf(traffic.operations);
  const slowestAfterwards = slowestOf(traffic.operations.filter(({ acceptedAt }) => acceptedAt > stoppedAt));
  console.log(
    `worker: stopped after ${Math.round(stoppedAfter)} ms; slowest of ${traffic.operations.length} operations ${Math.round(slowest)} ms`,
  );
  expect(code).toBe(0);
  expect(stoppedAfter).toBeLessThan(AT_MOST_MS);
  expect(traffic.failures).toEqual([]);
  expect(traffic.operations.filter(({ status }) => status !== 'completed')).toEqual([]);
  expect(slowestAfterwards, 'accepted after the stop').toBeLessThan(LOST_TASK_MS);
  expect(slowest).toBeLessThan(2 * LOST_TASK_MS);
  other.signal('SIGTERM');
  expect((await other.ended()).code).toBe(0);
}, 240_000);

function slowestOf(operations: AcceptedOperation[]): number {
  return Math.max(...operations.map(({ acceptedAt, endedAt }) => (endedAt ?? Number.POSITIVE_INFINITY) - acceptedAt));
}
