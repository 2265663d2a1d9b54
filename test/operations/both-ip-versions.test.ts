import { describe, expect, test } from 'vitest';
import { createReservedIpClient } from '../../client/index.ts';
import type { Account } from '../../dev/kit/account.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import { until } from '../../dev/kit/until.ts';
import { useDatabase } from '../support/database.ts';
import { expectedDroplet } from '../support/expected.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

async function assignOn(host: ManualHost, account: Account, ip: string, droplet: number): Promise<void> {
  await account.assignBy(host, ip, droplet);
}

/** A droplet that holds an address of each IP version, on a host whose answers the test decides. */
async function useDropletWithBoth() {
  const world = await useWorld({ agents: 0, manualHosts: 1, ipv6PrefixLength: 124 });
  const [host] = world.manualHosts;
  if (!host) throw new Error('no host');
  const account = await world.account();
  const [droplet = 0] = await world.droplets(account, 1);
  const [ipv4, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];
  await assignOn(host, account, ipv4, droplet);
  await assignOn(host, account, ipv6, droplet);
  return { world, host, account, droplet, ipv4, ipv6 };
}

async function unassigned(account: Account, ipv4: string, ipv6: string): Promise<void> {
  await until('both addresses were unassigned', async () => {
    const { body } = await account.http.get('/v2/actions');
    return !JSON.stringify(body).includes('in-progress');
  });
  expect(await account.show(ipv4)).toMatchObject({ droplet: null, locked: false });
  expect(await account.showIpv6(ipv6)).toMatchObject({ droplet: null });
}

describe('a droplet', () => {
  test('holds one address of each IP version, which come and go by themselves', async () => {
    const { world, host, account, droplet, ipv4, ipv6 } = await useDropletWithBoth();
    expect((await account.http.get(`/v2/droplets/${droplet}`)).body).toEqual({
      droplet: expectedDroplet(droplet, world.region, { reservedIp: ipv4, reservedIpv6: ipv6 }),
    });
    expect((await account.http.get('/v2/droplets')).body).toMatchObject({ droplets: [{ id: droplet }] });

    const action = await account.startUnassign(ipv4);
    await host.confirm(ipv4, 'detach');
    await account.completed(action);

    expect((await account.http.get(`/v2/droplets/${droplet}`)).body).toEqual({
      droplet: expectedDroplet(droplet, world.region, { reservedIpv6: ipv6 }),
    });
  });

  test('takes an address of one IP version while one of the other is on its way to it', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1, ipv6PrefixLength: 124 });
    const [host] = world.manualHosts;
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const [ipv4, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];

    const actions = [await account.startAssign(ipv6, droplet), await account.startAssign(ipv4, droplet)];
    await host?.confirm(ipv4, 'attach');
    await host?.confirm(ipv6, 'attach');
    for (const action of actions) await account.completed(action);

    expect(await account.show(ipv4)).toMatchObject({ droplet: { id: droplet } });
    expect(await account.showIpv6(ipv6)).toMatchObject({ droplet: { id: droplet } });
  });
});

describe('destroying a droplet with an address of each IP version', () => {
  test('takes both off it and leaves them reserved', async () => {
    const { host, account, droplet, ipv4, ipv6 } = await useDropletWithBoth();

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204, text: '' });

    expect(await account.http.get(`/v2/droplets/${droplet}`)).toMatchObject({ status: 404 });
    expect(await host.http.get('/host/v1/desired-state')).toMatchObject({ body: { attachments: [] } });
    await host.confirm(ipv4, 'detach');
    await host.confirm(ipv6, 'detach');
    await unassigned(account, ipv4, ipv6);
    for (const type of ['reserved_ip', 'reserved_ipv6']) {
      expect(await account.http.get('/v2/actions?per_page=2')).toMatchObject({
        body: {
          actions: expect.arrayContaining([
            expect.objectContaining({ type: 'unassign_ip', resource_type: type, status: 'completed' }),
          ]),
        },
      });
    }
  });

  test('takes both off it even when the host never answers', async () => {
    const world = await useWorld({ agents: 1, ipv6PrefixLength: 124 });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const [ipv4, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];
    await account.assign(ipv4, droplet);
    await account.assign(ipv6, droplet);
    world.agents[0]?.driver.silence('before-applying');

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204 });

    await unassigned(account, ipv4, ipv6);
    world.agents[0]?.driver.speakAgain();
  });

  test('by several requests at a time leaves nothing on it, whoever was the quickest', async () => {
    const world = await useWorld({ agents: 1, ipv6PrefixLength: 124 });
    const db = useDatabase();
    const account = await world.account();
    for (const droplet of await world.droplets(account, 5)) {
      const [ipv4, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];
      await account.assign(ipv4, droplet);
      await account.assign(ipv6, droplet);

      const [first, second, third] = await Promise.all([
        account.http.delete(`/v2/droplets/${droplet}`),
        account.http.delete(`/v2/droplets/${droplet}`),
        account.requestUnassign(ipv6),
      ]);

      expect([204, 404, 422]).toContain(first.status);
      expect([204, 404, 422]).toContain(second.status);
      expect([201, 422]).toContain(third.status);
      await until('the droplet could be destroyed', async () =>
        [204, 404].includes((await account.http.delete(`/v2/droplets/${droplet}`)).status),
      );
      await unassigned(account, ipv4, ipv6);
      expect(await db.selectFrom('addresses').select('id').where('droplet_id', '=', droplet).execute()).toEqual([]);
    }
  });

  test('is rejected while one of them is on its way elsewhere or being taken off, and then changes nothing', async () => {
    const { host, account, droplet, ipv4, ipv6 } = await useDropletWithBoth();
    const open = await account.startUnassign(ipv6);

    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({
      status: 422,
      body: { message: 'Droplet already has a pending event.' },
    });

    expect(await account.show(ipv4)).toMatchObject({ droplet: { id: droplet }, locked: false });
    await host.confirm(ipv6, 'detach');
    await account.completed(open);
  });

  test('leaves the droplet to its owner while it holds the other, and a repetition destroys it', async () => {
    const { host, account, droplet, ipv4, ipv6 } = await useDropletWithBoth();
    const client = createReservedIpClient({ temporal: await useTemporal() });

    // As far as an API process comes that dies half way.
    const { decision } = await client.unassign({ accountId: account.id, address: ipv6, destroysDropletId: droplet });

    expect(decision).toMatchObject({ kind: 'admitted' });
    expect(await account.show(ipv4)).toMatchObject({ droplet: { id: droplet }, locked: false });
    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204 });
    expect(await account.http.get(`/v2/droplets/${droplet}`)).toMatchObject({ status: 404 });
    await host.confirm(ipv4, 'detach');
    await host.confirm(ipv6, 'detach');
    await unassigned(account, ipv4, ipv6);
  });
});
