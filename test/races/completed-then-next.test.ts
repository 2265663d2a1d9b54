import { expect, test } from 'vitest';
import { useCustomer } from '../support/reserved.ts';

const TIMES = 1_000;
const LANES = 8;

test(`an unassign and, in the moment it is completed, a release work ${TIMES} times out of ${TIMES}`, {
  timeout: 900_000,
}, async () => {
  const { world, account } = await useCustomer({ agents: 2, prefixLength: 20 });
  const droplets = await world.droplets(account, LANES);
  let left = TIMES;
  const statuses = new Map<number, number>();

  async function lane(droplet: number): Promise<void> {
    while (left > 0) {
      left -= 1;
      const { ip, actionId } = await account.reserveFor(droplet);
      await account.completed({ id: actionId });
      await account.unassign(ip);
      const { status } = await account.requestRelease(ip);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  }
  await Promise.all(droplets.map(lane));

  expect(Object.fromEntries(statuses)).toEqual({ 204: TIMES });
});
