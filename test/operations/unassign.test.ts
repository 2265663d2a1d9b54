import { describe, expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { useReserved } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

describe('unassign', () => {
  test('takes the address off its droplet once the host has detached it', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });
    await account.assign(ip, droplet);

    const action = await account.unassign(ip);

    expect(action).toMatchObject({ type: 'unassign_ip', status: 'completed' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    expect(await world.agents[0]?.driver.list()).toEqual([]);
  });

  test('of an unassigned address is rejected with 422', async () => {
    const { account, ip } = await useReserved({ agents: 0, droplets: 0 });
    expect(await account.requestUnassign(ip)).toMatchObject({
      status: 422,
      body: { id: 'unprocessable_entity', message: expect.stringContaining('not assigned') },
    });
  });

  test('of another account’s address is rejected with 404', async () => {
    const world = await useWorld({ agents: 1 });
    const [owner, stranger] = await Promise.all([world.account(), world.account()]);
    const [droplet = 0] = await world.droplets(owner, 1);
    const ip = await owner.reserve(world.region);
    await owner.assign(ip, droplet);
    expect(await stranger.requestUnassign(ip)).toMatchObject({ status: 404 });
    expect(await owner.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
  });

  test('while another operation is open is rejected with 422', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const open = await account.startAssign(ip, droplet);
    expect(await account.requestUnassign(ip)).toMatchObject({
      status: 422,
      body: { message: 'The reserved IP already has a pending event.' },
    });
    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed(open);
  });
});

describe('destroying a droplet', () => {
  test('unassigns its address through a workflow and leaves the address reserved', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });
    await account.assign(ip, droplet);

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204, text: '' });

    expect(await account.http.get(`/v2/droplets/${droplet}`)).toMatchObject({ status: 404 });
    await until('the address was unassigned', async () => !(await account.show(ip)).locked);
    expect(await account.show(ip)).toMatchObject({ droplet: null });
    expect(await world.agents[0]?.driver.list()).toEqual([]);
  });

  test('frees its address even when the host never answers', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1, manualHosts: 0 });
    await account.assign(ip, droplet);
    world.agents[0]?.driver.silence('before-applying');

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204 });

    await until('the address came free', async () => !(await account.show(ip)).locked);
    expect(await account.show(ip)).toMatchObject({ droplet: null });
    world.agents[0]?.driver.speakAgain();
  });

  test('with an address on its way is rejected with 422', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const open = await account.startAssign(ip, droplet);

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({
      status: 422,
      body: { message: 'Droplet already has a pending event.' },
    });

    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed(open);
  });
});
