import { createApiClient } from 'dots-wrapper';
import { expect } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import type { World } from '../support/world.ts';

type Client = ReturnType<typeof createApiClient>;

/** Polls an action as the client's users do, and answers it once it is completed. */
async function completed({ action }: Client, action_id: number) {
  const ended = await until(`action ${action_id} ended`, async () => {
    const { data } = await action.getAction({ action_id });
    return data.action.status !== 'in-progress' && data.action;
  });
  expect(ended).toMatchObject({ id: action_id, status: 'completed', completed_at: expect.any(String) });
  return ended;
}

/** Leads addresses of a new account through all that the client can do with them, at `apiUrl`. */
export async function leadThroughLife(world: World, apiUrl: string, token: string): Promise<void> {
  const endpoint = `${apiUrl}/v2`;
  const client = createApiClient({ token, endpoint });
  const { droplet, floatingIp } = client;

  expect(await client.account.getAccount()).toMatchObject({ status: 200, data: { account: { status: 'active' } } });

  const form = { region: world.region, size: 's-1vcpu-1gb', image: 'debian-12-x64', tags: ['web'], ssh_keys: [1] };
  const first = await droplet.createDroplet({ name: 'first', ...form });
  const second = await droplet.createDroplet({ name: 'second', ...form });
  expect([first.status, second.status]).toEqual([202, 202]);
  const [firstId, secondId] = [first.data.droplet.id, second.data.droplet.id];
  expect((await droplet.listDroplets({})).data).toMatchObject({
    droplets: [{ id: secondId }, { id: firstId }],
    meta: { total: 2 },
  });
  const renamed = await droplet.renameDroplet({ droplet_id: firstId, name: 'renamed' });
  await completed(client, renamed.data.action.id);
  expect((await droplet.getDroplet({ droplet_id: firstId })).data.droplet).toMatchObject({
    id: firstId,
    name: 'renamed',
    region: { slug: world.region },
    tags: ['web'],
  });

  expect((await floatingIp.listFloatingIps({})).data).toEqual({ floating_ips: [], links: {}, meta: { total: 0 } });
  const reserved = await floatingIp.createFloatingIp({ region: world.region });
  expect(reserved).toMatchObject({
    status: 202,
    data: { floating_ip: { droplet: null, region: { slug: world.region } } },
  });
  const { ip } = reserved.data.floating_ip;

  const assigned = await floatingIp.assignIpToDroplet({ ip, droplet_id: firstId });
  expect(assigned).toMatchObject({
    status: 201,
    data: { action: { type: 'assign_ip', status: 'in-progress', resource_type: 'floating_ip' } },
  });
  await completed(client, assigned.data.action.id);
  expect((await floatingIp.getFloatingIp({ ip })).data.floating_ip).toMatchObject({ ip, droplet: { id: firstId } });

  const moved = await floatingIp.assignIpToDroplet({ ip, droplet_id: secondId });
  await until('the move was completed', async () => {
    const { data } = await floatingIp.getFloatingIpAction({ ip, action_id: moved.data.action.id });
    return data.action.status === 'completed';
  });
  expect((await floatingIp.getFloatingIp({ ip })).data.floating_ip).toMatchObject({ ip, droplet: { id: secondId } });

  const unassigned = await floatingIp.unassignIpFromDroplet({ ip });
  await completed(client, unassigned.data.action.id);
  expect((await floatingIp.getFloatingIp({ ip })).data.floating_ip.droplet).toBeNull();
  expect((await floatingIp.listFloatingIpActions({ ip, page: 1, per_page: 3 })).data).toMatchObject({
    actions: [{ type: 'unassign_ip' }, { type: 'assign_ip' }, { type: 'assign_ip' }],
    links: { pages: { next: `${endpoint}/floating_ips/${ip}/actions?page=2&per_page=3` } },
    meta: { total: 4 },
  });
  expect(await floatingIp.deleteFloatingIp({ ip })).toMatchObject({ status: 204 });
  await expect(floatingIp.getFloatingIp({ ip })).rejects.toMatchObject({
    response: { status: 404, data: { id: 'not_found' } },
  });

  const forDroplet = await floatingIp.createFloatingIp({ droplet_id: firstId });
  expect(forDroplet).toMatchObject({ status: 202, data: { floating_ip: { droplet: null } } });
  const ownIp = forDroplet.data.floating_ip.ip;
  const latest = await client.action.listActions({ per_page: 1 });
  expect(latest.data).toMatchObject({ actions: [{ type: 'assign_ip' }], meta: { total: 10 } });
  await completed(client, latest.data.actions[0]?.id ?? 0);
  expect((await floatingIp.listFloatingIps({ per_page: 200 })).data).toMatchObject({
    floating_ips: [{ ip: ownIp, droplet: { id: firstId } }],
    links: {},
  });
  expect((await droplet.listDropletActions({ droplet_id: firstId })).data.actions.map(({ type }) => type)).toEqual([
    'assign_ip',
    'assign_ip',
    'rename',
    'create',
  ]);

  expect(await droplet.deleteDroplet({ droplet_id: firstId })).toMatchObject({ status: 204 });
  await expect(droplet.getDroplet({ droplet_id: firstId })).rejects.toMatchObject({ response: { status: 404 } });
  await until('the address was free of the droplet', async () => {
    const { data } = await floatingIp.getFloatingIp({ ip: ownIp });
    return data.floating_ip.droplet === null;
  });
}
