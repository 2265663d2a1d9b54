import { describe, expect, test } from 'vitest';
import { readAction } from '../../dev/kit/account.ts';
import { useReserved } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

describe('assign', () => {
  test('puts the address on the droplet once its host has attached it', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });

    const action = await account.startAssign(ip, droplet);
    expect(action).toMatchObject({ status: 'in-progress', type: 'assign_ip', completed_at: null });
    expect(await account.completed(action)).toMatchObject({ type: 'assign_ip', region_slug: world.region });

    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
    expect(await world.agents[0]?.driver.list()).toMatchObject([{ address: ip, dropletId: droplet }]);
  });

  test('moves an assigned address to a droplet on another host, and the old host detaches it', async () => {
    const { world, account, ip, droplets } = await useReserved({ agents: 2, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    await account.assign(ip, first);

    await account.assign(ip, second);

    expect(await account.show(ip)).toMatchObject({ droplet: { id: second }, locked: false });
    const attached = await Promise.all(world.agents.map((agent) => agent.driver.list()));
    expect(attached.flat()).toMatchObject([{ address: ip, dropletId: second }]);
  });

  test('moves an address between two droplets of one host', async () => {
    const { world, account, ip, droplets } = await useReserved({ agents: 1, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    await account.assign(ip, first);

    await account.assign(ip, second);

    expect(await world.agents[0]?.driver.list()).toMatchObject([{ address: ip, dropletId: second }]);
  });

  test('shows the address locked and on no droplet while it is on its way', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });

    const action = await account.startAssign(ip, droplet);
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: true });

    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed(action);
  });

  test('is listed at once under the address, the account and the droplet', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });

    const { id } = await account.startAssign(ip, droplet);

    for (const path of [
      `/v2/reserved_ips/${ip}/actions`,
      `/v2/floating_ips/${ip}/actions`,
      '/v2/actions',
      `/v2/droplets/${droplet}/actions`,
    ]) {
      expect(await account.http.get(path), path).toMatchObject({
        status: 200,
        body: { actions: expect.arrayContaining([expect.objectContaining({ id, status: 'in-progress' })]) },
      });
    }
    await world.manualHosts[0]?.confirm(ip, 'attach');
    await account.completed({ id });
  });

  describe('is rejected', () => {
    test('with 404 for an address that is not there, is not an address, or is another account’s', async () => {
      const world = await useWorld({ agents: 0, manualHosts: 1 });
      const [owner, stranger] = await Promise.all([world.account(), world.account()]);
      const [droplet = 0] = await world.droplets(stranger, 1);
      const ip = await owner.reserve(world.region);

      for (const address of [ip, '192.0.2.255', 'not-an-address', '1.2.3', '::1']) {
        expect(await stranger.requestAssign(address, droplet), address).toMatchObject({
          status: 404,
          body: { id: 'not_found', message: 'The resource you requested could not be found.' },
        });
      }
      expect(await owner.show(ip)).toMatchObject({ droplet: null, locked: false });
    });

    test('with 404 for a droplet that is not there, is destroyed, or is another account’s', async () => {
      const world = await useWorld({ agents: 0, manualHosts: 1 });
      const [owner, stranger] = await Promise.all([world.account(), world.account()]);
      const [foreign = 0] = await world.droplets(stranger, 1);
      const [destroyed = 0] = await world.droplets(owner, 1);
      expect(await owner.http.delete(`/v2/droplets/${destroyed}`)).toMatchObject({ status: 204 });
      const ip = await owner.reserve(world.region);

      for (const droplet of [foreign, destroyed, 999_999_999]) {
        expect(await owner.requestAssign(ip, droplet)).toMatchObject({ status: 404, body: { id: 'not_found' } });
      }
      expect(await owner.show(ip)).toMatchObject({ droplet: null, locked: false });
    });

    test('with 422 for a droplet of another region', async () => {
      const [world, elsewhere] = await Promise.all([useWorld({ agents: 1 }), useWorld({ agents: 1 })]);
      const account = await world.account();
      const [droplet = 0] = await elsewhere.droplets(account, 1);
      const ip = await account.reserve(world.region);

      expect(await account.requestAssign(ip, droplet)).toMatchObject({
        status: 422,
        body: { id: 'unprocessable_entity', message: expect.stringContaining('same region') },
      });
    });

    test('with 422 when the address is on that droplet already', async () => {
      const { account, ip, droplet } = await useReserved({ agents: 1 });
      await account.assign(ip, droplet);

      expect(await account.requestAssign(ip, droplet)).toMatchObject({
        status: 422,
        body: { message: expect.stringContaining('already assigned') },
      });
    });

    test('with 422 when the droplet has another address', async () => {
      const world = await useWorld({ agents: 1 });
      const account = await world.account();
      const [droplet = 0] = await world.droplets(account, 1);
      const [first, second] = [await account.reserve(world.region), await account.reserve(world.region)];
      await account.assign(first, droplet);

      expect(await account.requestAssign(second, droplet)).toMatchObject({
        status: 422,
        body: { message: expect.stringContaining('already has') },
      });
      expect(await account.show(second)).toMatchObject({ droplet: null, locked: false });
    });

    test('with 422 and the v2 wording while another operation on the address is open', async () => {
      const { world, account, ip, droplets } = await useReserved({ agents: 0, manualHosts: 1, droplets: 2 });
      const [first = 0, second = 0] = droplets;
      const open = await account.startAssign(ip, first);

      const body = { type: 'assign', droplet_id: second };
      expect(await account.http.post(`/v2/reserved_ips/${ip}/actions`, body)).toMatchObject({
        status: 422,
        body: { id: 'unprocessable_entity', message: 'The reserved IP already has a pending event.' },
      });
      expect(await account.http.post(`/v2/floating_ips/${ip}/actions`, body)).toMatchObject({
        status: 422,
        body: { message: 'The floating IP already has a pending event.' },
      });
      await world.manualHosts[0]?.confirm(ip, 'attach');
      await account.completed(open);
    });

    test('with 422 when the droplet is on a host that was declared gone', async () => {
      const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
      await world.admin.post(`/internal/v1/hosts/${world.manualHosts[0]?.name}/gone`);

      expect(await account.requestAssign(ip, droplet)).toMatchObject({ status: 422 });
      expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
    });

    test('and the address can be assigned right after a rejection', async () => {
      const { account, ip, droplet } = await useReserved({ agents: 1 });
      expect((await account.requestAssign(ip, 999_999_999)).status).toBe(404);

      const action = readAction(await account.requestAssign(ip, droplet));
      await account.completed(action);
    });
  });
});
