import { describe, expect, test } from 'vitest';
import { expectedAction, expectedError, resourceIdOf } from '../support/expected.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';

describe('GET /v2/actions', () => {
  test('lists the actions on all that the account has, the newest first, also on what is gone', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    expect((await account.http.get('/v2/actions')).body).toEqual({ actions: [], links: {}, meta: { total: 0 } });
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    await account.assign(ip, droplet);
    await account.unassign(ip);
    await account.release(ip);
    await account.http.delete(`/v2/droplets/${droplet}`);

    const answer = await account.http.get('/v2/actions');

    const onAddress = { resource_type: 'reserved_ip', resource_id: resourceIdOf(ip) };
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      actions: [
        expectedAction({ type: 'release_ip', ...onAddress }, world.region),
        expectedAction({ type: 'unassign_ip', ...onAddress }, world.region),
        expectedAction({ type: 'assign_ip', ...onAddress }, world.region),
        expectedAction({ type: 'reserve_ip', ...onAddress }, world.region),
        expectedAction({ type: 'create', resource_type: 'droplet', resource_id: droplet }, world.region),
      ],
      links: {},
      meta: { total: 5 },
    });
  });
});

describe('an action', () => {
  test('that errored says so, and when', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1 });
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);
    const { id } = await account.startAssign(ip, droplet);
    await account.ended({ id });

    const answer = await account.http.get(`/v2/actions/${id}`);

    const subject = { type: 'assign_ip', resource_type: 'reserved_ip', resource_id: resourceIdOf(ip) };
    expect(answer.body).toEqual({ action: expectedAction(subject, world.region, { id, status: 'errored' }) });
  });

  test('is found only below what it is about', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    const [droplet = 0, otherDroplet = 0] = await world.droplets(account, 2);
    const [ip, otherIp] = [await account.reserve(world.region), await account.reserve(world.region)];
    const { id } = await account.assign(ip, droplet);

    for (const path of [`/v2/reserved_ips/${ip}`, `/v2/floating_ips/${ip}`, `/v2/droplets/${droplet}`]) {
      expect(await account.http.get(`${path}/actions/${id}`), path).toMatchObject({ status: 200 });
    }
    for (const path of [`/v2/reserved_ips/${otherIp}`, `/v2/floating_ips/${otherIp}`, `/v2/droplets/${otherDroplet}`]) {
      const answer = await account.http.get(`${path}/actions/${id}`);
      expect(answer.status, path).toBe(404);
      expect(answer.body).toEqual(
        expectedError('not_found', 'The resource you requested could not be found.', answer.headers),
      );
    }
  });
});
