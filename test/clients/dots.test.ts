import { expect, inject, test } from 'vitest';
import { createDots, type Dots, type DotsAddress } from '../../dev/kit/dots-client.ts';
import { until } from '../../dev/kit/until.ts';
import { resourceIdOf } from '../support/expected.ts';
import { useCustomer } from '../support/reserved.ts';
import type { World } from '../support/world.ts';

/** Both resource names of the client, with the same methods. */
const RESOURCE_NAMES = [
  {
    name: 'reserved IP',
    type: 'reserved_ip',
    list: async ({ v2 }: Dots) => (await v2.reserved_ips.get()).reservedIps,
    reserve: async ({ v2 }: Dots, body: { region?: string; dropletId?: number }) => {
      const { reservedIp, links } = await v2.reserved_ips.post(body);
      return { address: reservedIp, links };
    },
    show: async ({ v2 }: Dots, ip: string) => (await v2.reserved_ips.byReserved_ip(ip).get()).reservedIp,
    one: ({ v2 }: Dots, ip: string) => v2.reserved_ips.byReserved_ip(ip),
  },
  {
    name: 'floating IP',
    type: 'floating_ip',
    list: async ({ v2 }: Dots) => (await v2.floating_ips.get()).floatingIps,
    reserve: async ({ v2 }: Dots, body: { region?: string; dropletId?: number }) => {
      const { floatingIp, links } = await v2.floating_ips.post(body);
      return { address: floatingIp, links };
    },
    show: async ({ v2 }: Dots, ip: string) => (await v2.floating_ips.byFloating_ip(ip).get()).floatingIp,
    one: ({ v2 }: Dots, ip: string) => v2.floating_ips.byFloating_ip(ip),
  },
];

async function completed({ v2 }: Dots, id: number) {
  const ended = await until(`action ${id} ended`, async () => {
    const { action } = await v2.actions.byAction_id(id).get();
    return action.status !== 'in-progress' && action;
  });
  expect(ended).toMatchObject({ id, status: 'completed', completedAt: expect.any(Date) });
}

async function makeDroplet({ v2 }: Dots, { region }: World, name: string): Promise<number> {
  const { droplet } = await v2.droplets.post({ name, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' });
  expect(droplet).toMatchObject({ name, region: { slug: region }, networks: { v4: [{ type: 'private' }] } });
  return droplet.id;
}

test.each(RESOURCE_NAMES)('@digitalocean/dots leads a $name through its whole life', async (resource) => {
  const { world, account } = await useCustomer({ agents: 2 });
  const client = createDots(inject('environment').apiUrl, account.http.token ?? '');
  const [first, second] = [await makeDroplet(client, world, 'first'), await makeDroplet(client, world, 'second')];
  expect(await resource.list(client)).toEqual([]);

  const { address, links } = await resource.reserve(client, { region: world.region });
  expect(address).toMatchObject({ droplet: {}, locked: false, region: { slug: world.region } });
  expect(links).toEqual({});
  const { ip } = address;
  const { actions } = resource.one(client, ip);
  const droplet = async (): Promise<DotsAddress['droplet']> => (await resource.show(client, ip)).droplet;

  const { action: assign } = await actions.post({ type: 'assign', dropletId: first });
  expect(assign).toMatchObject({
    type: 'assign_ip',
    status: 'in-progress',
    resourceType: resource.type,
    resourceId: resourceIdOf(ip),
    regionSlug: world.region,
  });
  await completed(client, assign.id);
  expect(await droplet()).toMatchObject({ id: first });

  const { action: move } = await actions.post({ type: 'assign', dropletId: second });
  await until('the move was completed', async () => {
    const { action } = await actions.byAction_id(move.id).get();
    return action.status === 'completed';
  });
  expect(await droplet()).toMatchObject({ id: second, networks: { v4: [{ ipAddress: ip, type: 'public' }, {}] } });

  const { action: unassign } = await actions.post({ type: 'unassign' });
  await completed(client, unassign.id);
  expect(await droplet()).toEqual({});
  expect(await actions.get()).toMatchObject({
    actions: [{ type: 'unassign_ip' }, { type: 'assign_ip' }, { type: 'assign_ip' }, { type: 'reserve_ip' }],
    meta: { total: 4 },
  });

  const own = await resource.reserve(client, { dropletId: first });
  expect(own.address).toMatchObject({ droplet: {}, locked: true });
  expect(own.links).toMatchObject({ actions: [{ rel: 'assign_ip', id: expect.any(Number) }] });
  await completed(client, own.links.actions?.[0]?.id ?? 0);
  expect((await resource.list(client)).map((one) => [one.ip, one.droplet.id]).sort()).toEqual(
    [
      [ip, undefined],
      [own.address.ip, first],
    ].sort(),
  );

  for (const released of [ip, own.address.ip]) {
    await resource.one(client, released).delete();
    await expect(resource.show(client, released)).rejects.toMatchObject({ responseStatusCode: 404, id: 'not_found' });
  }
  expect(await resource.list(client)).toEqual([]);
});

test('@digitalocean/dots leads a reserved IPv6 through its whole life', async () => {
  const { world, account } = await useCustomer({ agents: 2, ipv6PrefixLength: 124 });
  const client = createDots(inject('environment').apiUrl, account.http.token ?? '');
  const { v2 } = client;
  const [first, second] = [await makeDroplet(client, world, 'first'), await makeDroplet(client, world, 'second')];
  expect((await v2.reserved_ipv6.get()).reservedIpv6s).toEqual([]);

  const { reservedIpv6 } = await v2.reserved_ipv6.post({ regionSlug: world.region });
  expect(reservedIpv6).toMatchObject({ regionSlug: world.region, reservedAt: expect.any(Date) });
  const { ip } = reservedIpv6;
  const one = v2.reserved_ipv6.byReserved_ipv6(ip);

  for (const dropletId of [first, second]) {
    const { action } = await one.actions.post({ type: 'assign', dropletId });
    expect(action).toMatchObject({ type: 'assign_ip', resourceType: 'reserved_ipv6', resourceId: expect.any(Number) });
    await completed(client, action.id);
    expect((await one.get()).reservedIpv6).toMatchObject({
      ip,
      droplet: { id: dropletId, networks: { v6: [{ ipAddress: ip, type: 'public' }] } },
    });
  }
  await expect(one.delete()).rejects.toMatchObject({ responseStatusCode: 400, id: 'bad_request' });

  const { action } = await one.actions.post({ type: 'unassign' });
  await completed(client, action.id);
  await one.delete();
  await expect(one.get()).rejects.toMatchObject({ responseStatusCode: 404, id: 'not_found' });
  expect((await v2.reserved_ipv6.get()).reservedIpv6s).toEqual([]);
});

test('@digitalocean/dots makes, renames, lists and deletes droplets, and reads account and actions', async () => {
  const { world, account } = await useCustomer({ agents: 1, reservedIpLimit: 5 });
  const client = createDots(inject('environment').apiUrl, account.http.token ?? '');
  const { v2 } = client;
  expect(await v2.account.get()).toMatchObject({ account: { status: 'active', floatingIpLimit: 5 } });

  const id = await makeDroplet(client, world, 'first');
  expect(await v2.droplets.get()).toMatchObject({ droplets: [{ id, name: 'first' }], meta: { total: 1 } });
  const one = v2.droplets.byDroplet_id(id);
  const { action } = await one.actions.post({ type: 'rename', name: 'renamed' });
  await completed(client, action.id);
  expect(await one.get()).toMatchObject({ droplet: { id, name: 'renamed' } });
  expect(await one.actions.get()).toMatchObject({ actions: [{ type: 'rename' }, { type: 'create' }] });

  const page = await v2.actions.get({ queryParameters: { page: 1, perPage: 1 } });
  expect(page).toMatchObject({ actions: [{ id: action.id }], meta: { total: 2 } });
  expect(page.links.pages?.additionalData.last).toMatch(/[?&]page=2(&|$)/);

  await one.delete();
  await expect(one.get()).rejects.toMatchObject({ responseStatusCode: 404, id: 'not_found' });
  expect(await v2.droplets.get()).toMatchObject({ droplets: [], meta: { total: 0 } });
});

test('@digitalocean/dots throws what the API rejects', async () => {
  const { world, account } = await useCustomer({ agents: 0 });
  const { v2 } = createDots(inject('environment').apiUrl, account.http.token ?? '');
  const { reservedIp } = await v2.reserved_ips.post({ region: world.region });

  await expect(v2.reserved_ips.byReserved_ip(reservedIp.ip).actions.post({ type: 'unassign' })).rejects.toMatchObject({
    responseStatusCode: 422,
    id: 'unprocessable_entity',
    messageEscaped: 'The reserved IP is not assigned to a Droplet.',
    requestId: expect.any(String),
  });
  const stranger = createDots(inject('environment').apiUrl, 'wrong');
  await expect(stranger.v2.account.get()).rejects.toMatchObject({ responseStatusCode: 401, id: 'unauthorized' });
});
