import { expect, test } from 'vitest';
import { createReservedIpClient } from '../../client/index.ts';
import { until } from '../../dev/kit/until.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { useTemporal } from '../support/temporal.ts';

/** What a closed run did about decision and billing, in the order of its history. */
async function stepsOf(workflowId: string): Promise<string[]> {
  const temporal = await useTemporal();
  const handle = temporal.workflow.getHandle(workflowId);
  await handle.result();
  const { events } = await handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    if (event.workflowExecutionUpdateCompletedEventAttributes) return ['decision given'];
    const activity = event.activityTaskScheduledEventAttributes?.activityType?.name;
    return activity === 'publishBilling' ? ['publishing begins'] : [];
  });
}

test('who waits for the decision of a reserve or a release does not wait for Kafka', async () => {
  const { world, account, droplet: dropletId } = await useCustomer({ agents: 1, droplets: 1 });
  const client = createReservedIpClient({ temporal: await useTemporal() });

  const reserved = await client.reserve({ accountId: account.id, target: { region: world.region, dropletId: null } });

  // Both are commands of one workflow task, which local activities would have kept open.
  expect((await stepsOf(reserved.workflowId)).sort()).toEqual(['decision given', 'publishing begins']);
  const outcome = await reserved.completed();
  const address = outcome.kind === 'completed' ? outcome.address : '';
  await (await client.assign({ accountId: account.id, address, dropletId })).completed();
  const released = await client.release({ accountId: account.id, address });
  expect(await released.completed()).toMatchObject({ kind: 'completed', address });
  expect((await stepsOf(released.workflowId)).sort()).toEqual(['decision given', 'publishing begins']);
});

test('who waits for no decision is spared the workflow task that this costs', async () => {
  const { account, ip: address } = await useReserved({ agents: 0, droplets: 0 });
  await account.release(address);
  const temporal = await useTemporal();
  await until('the release has closed', async () => {
    // It starts a moment after the answer.
    const handle = temporal.workflow.getHandle(`reserved-ip/${address}`);
    return handle.describe().then(
      ({ status }) => status.name === 'COMPLETED',
      () => false,
    );
  });
  expect(await stepsOf(`reserved-ip/${address}`)).toEqual([]);
});
