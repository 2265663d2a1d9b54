import { expect, test } from 'vitest';
import { createReservedIpClient } from '../../client/index.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import { useReserved } from '../support/reserved.ts';
import { useTemporal } from '../support/temporal.ts';

test('an operation that is repeated under its id while it is open is answered with its own decision', async () => {
  const { world, account, droplet: dropletId, ip: address } = await useReserved({ agents: 0, manualHosts: 1 });
  const client = createReservedIpClient({ temporal: await useTemporal() });
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
