import { describe, expect, inject, test } from 'vitest';
import { readAction } from '../../dev/kit/account.ts';
import { until } from '../../dev/kit/until.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';

describe('two operations on one address at once', () => {
  test('one assign is accepted and the other rejected, whichever process they reach', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const elsewhere = account.at(inject('environment').secondApiUrl);
    const droplets = await world.droplets(account, 2);
    const [first = 0, second = 0] = droplets;

    for (let round = 0; round < 20; round++) {
      const ip = await account.reserve(world.region);
      const answers = await Promise.all([account.requestAssign(ip, first), elsewhere.requestAssign(ip, second)]);

      expect(answers.map((answer) => answer.status).sort(), `round ${round}`).toEqual([201, 422]);
      const [rejected] = answers.filter((answer) => answer.status === 422);
      expect(rejected?.body).toMatchObject({ message: 'The reserved IP already has a pending event.' });
      const [accepted] = answers.filter((answer) => answer.status === 201);
      if (!accepted) throw new Error('none was accepted');
      // Held open until both were answered, so that neither can come after the other.
      await world.manualHosts[0]?.confirm(ip, 'attach');
      await account.completed(readAction(accepted));
      expect((await account.show(ip)).droplet?.id).toBe(accepted === answers[0] ? first : second);
      await account.release(ip);
    }
  });

  test('of many assigns at once exactly one is accepted', async () => {
    const { account, droplets, ip } = await useReserved({ agents: 0, manualHosts: 1, droplets: 8 });

    const answers = await Promise.all(droplets.map((droplet) => account.requestAssign(ip, droplet)));

    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 422)).toHaveLength(7);
  });

  test('an unassign and a release at once end with the address released or unassigned, never both half done', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });

    for (let round = 0; round < 10; round++) {
      const ip = await account.reserve(world.region);
      await account.assign(ip, droplet);
      const [unassigned, released] = await Promise.all([account.requestUnassign(ip), account.requestRelease(ip)]);
      expect([unassigned.status, released.status], `round ${round}`).toSatisfy(
        (statuses: number[]) =>
          statuses.join() === '201,422' ||
          statuses.join() === '422,204' ||
          statuses.join() === '404,204' ||
          statuses.join() === '201,204',
      );
      if (unassigned.status === 201 && released.status !== 204) {
        await account.completed(readAction(unassigned));
        await account.release(ip);
      }
    }
  });
});

describe('two addresses on their way to one droplet', () => {
  test('the second is rejected with the v2 wording while the first is pending', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 0, manualHosts: 1, droplets: 1 });
    const [first, second] = [await account.reserve(world.region), await account.reserve(world.region)];
    const open = await account.startAssign(first, droplet);

    expect(await account.requestAssign(second, droplet)).toMatchObject({
      status: 422,
      body: { id: 'unprocessable_entity', message: 'Droplet already has a pending event.' },
    });
    await world.manualHosts[0]?.confirm(first, 'attach');
    await account.completed(open);
  });

  test('at the same moment one is accepted and the other rejected', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    const elsewhere = account.at(inject('environment').secondApiUrl);
    const [droplet = 0] = await world.droplets(account, 1);

    for (let round = 0; round < 10; round++) {
      const [first, second] = [await account.reserve(world.region), await account.reserve(world.region)];
      const answers = await Promise.all([
        account.requestAssign(first, droplet),
        elsewhere.requestAssign(second, droplet),
      ]);
      expect(answers.map((answer) => answer.status).sort(), `round ${round}`).toEqual([201, 422]);
      const [accepted] = answers.filter((answer) => answer.status === 201);
      if (accepted) await account.completed(readAction(accepted));
      await Promise.all([account.release(first), account.release(second)]);
    }
  });
});

describe('a droplet that is destroyed while an address is assigned to it', () => {
  test('ends with the address on a living droplet or on none', async () => {
    const { world, account } = await useCustomer({ agents: 1 });

    for (let round = 0; round < 10; round++) {
      const [droplet = 0] = await world.droplets(account, 1);
      const ip = await account.reserve(world.region);
      const [assigned, destroyed] = await Promise.all([
        account.requestAssign(ip, droplet),
        account.http.delete(`/v2/droplets/${droplet}`),
      ]);
      expect([assigned.status, destroyed.status], `round ${round}`).toSatisfy(
        (statuses: number[]) =>
          statuses.join() === '201,422' || statuses.join() === '404,204' || statuses.join() === '201,204',
      );
      if (assigned.status === 201) await account.completed(readAction(assigned));
      await until('nothing was pending', async () => !(await account.show(ip)).locked);
      expect((await account.show(ip)).droplet?.id ?? null).toBe(destroyed.status === 204 ? null : droplet);
      await account.release(ip);
    }
  });
});
