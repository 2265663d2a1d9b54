import { expect, test } from 'vitest';
import { readAction } from '../../dev/kit/account.ts';
import { INNER_CALLS, type InnerCall } from '../../dev/legacy/parameters.ts';
import { useLegacy } from '../support/legacy.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';

/** Inner services of which one call waits until it is let through. */
function gate(held: InnerCall) {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: open.resolve,
    async latency(call: InnerCall): Promise<void> {
      if (call !== held) return;
      reached.resolve();
      await open.promise;
    },
  };
}

test('a legacy request cannot take an address over from an operation that began after it had looked', async () => {
  const placement = gate(INNER_CALLS.placement);
  const legacy = await useLegacy({ latency: placement.latency });
  const { world, account, ip, droplets } = await useReserved({ agents: 2, droplets: 2 });
  const [left = 0, right = 0] = droplets;

  const slow = account.at(legacy).requestAssign(ip, left);
  await placement.reached;
  const action = await account.startAssign(ip, right);
  placement.open();

  expect((await slow).status).toBe(500);
  expect(await account.completed(action)).toMatchObject({ status: 'completed' });
  expect(await account.show(ip)).toMatchObject({ droplet: { id: right }, locked: false });
  expect(world.agents.filter(({ driver }) => driver.attachments.has(ip))).toHaveLength(1);
});

test('a legacy request cannot write by what it read before an operation that is over', async () => {
  const placement = gate(INNER_CALLS.placement);
  const legacy = await useLegacy({ latency: placement.latency });
  const { account, ip, droplets } = await useReserved({ agents: 2, droplets: 2 });
  const [left = 0, right = 0] = droplets;

  const slow = account.at(legacy).requestAssign(ip, left);
  await placement.reached;
  await account.assign(ip, right);
  placement.open();

  expect((await slow).status).toBe(500);
  expect(await account.show(ip)).toMatchObject({ droplet: { id: right }, locked: false });
});

test('a legacy request cannot send a second address to a droplet that was given one meanwhile', async () => {
  const free = gate(INNER_CALLS.account);
  const legacy = await useLegacy({ latency: free.latency });
  const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });

  const slow = account.at(legacy).http.post('/v2/reserved_ips', { droplet_id: droplet });
  await free.reached;
  const { actionId } = await account.reserveFor(droplet);
  await account.completed({ id: actionId });
  free.open();

  expect((await slow).status).toBe(500);
  expect(world.agents[0]?.driver.attachments.size).toBe(1);
});

test('an address that a legacy request holds is locked for the new upstream, and free for it afterwards', async () => {
  const legacy = await useLegacy();
  const { account, host, droplet, ip } = await useReserved({ agents: 0, manualHosts: 1 });

  const assign = readAction(await account.at(legacy).requestAssign(ip, droplet));

  expect(await account.requestUnassign(ip)).toMatchObject({ status: 422 });
  const event = await host.command(ip, 'attach');
  expect(await host.acknowledge(event)).toBe('recorded');
  await account.completed(assign);
  const unassign = await account.startUnassign(ip);
  expect(await account.at(legacy).requestAssign(ip, droplet)).toMatchObject({ status: 422 });
  await host.confirm(ip, 'detach');
  await account.completed(unassign);
  expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
});
