import { createApiClient } from 'dots-wrapper';
import { expect, inject, test } from 'vitest';
import { useWorld } from '../support/world.ts';
import { leadThroughLife } from './dots-wrapper-life.ts';

/*
 * The client as it is on npm, told the base URL and a token and nothing else. It knows floating IPs only.
 */

test('dots-wrapper leads an address through its whole life', async () => {
  const world = await useWorld({ agents: 2 });
  const { http } = await world.account();
  await leadThroughLife(world, http.baseUrl, http.token ?? '');
});

test('dots-wrapper throws what the API rejects', async () => {
  const world = await useWorld({ agents: 0 });
  const { http } = await world.account({ reservedIpLimit: 1 });
  const endpoint = `${inject('environment').apiUrl}/v2`;
  const { floatingIp } = createApiClient({ token: http.token ?? '', endpoint });
  const { ip } = (await floatingIp.createFloatingIp({ region: world.region })).data.floating_ip;

  await expect(floatingIp.createFloatingIp({ region: world.region })).rejects.toMatchObject({
    response: { status: 422, data: { id: 'unprocessable_entity', message: expect.stringContaining('limit') } },
  });
  await expect(floatingIp.unassignIpFromDroplet({ ip })).rejects.toMatchObject({
    response: { status: 422, data: { message: 'The floating IP is not assigned to a Droplet.' } },
  });
  await expect(floatingIp.assignIpToDroplet({ ip, droplet_id: 1 })).rejects.toMatchObject({
    response: { status: 404 },
  });
  const stranger = createApiClient({ token: 'wrong', endpoint });
  await expect(stranger.account.getAccount()).rejects.toMatchObject({
    response: { status: 401, data: { id: 'unauthorized' } },
  });
});
