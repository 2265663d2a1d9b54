import { expect, test } from 'vitest';
import { createReservedIpClient } from '../../client/index.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

test('an operation that is repeated under its id while it is open is answered with its own decision', async () => {
  const world = await useWorld({ agents: 0, manualHosts: 1 });
  const client = createReservedIpClient({ temporal: await useTemporal() });
  const account = await world.account();
  const [dropletId = 0] = await world.droplets(account, 1);
  const address = await account.reserve(world.region);
  const operationId = newOperationId();
  const request = { accountId: account.id, address, dropletId, operationId };
  const { decision } = await client.assign(request);
  expect(decision).toMatchObject({ kind: 'admitted' });

  const repeated = await client.assign(request);

  expect(repeated.decision).toEqual(decision);
  await world.manualHosts[0]?.confirm(address, 'attach');
  expect(await repeated.completed()).toMatchObject({ kind: 'completed', address });
  expect((await client.assign(request)).decision, 'and so when it is over').toEqual(decision);
});
