import { expect, test } from 'vitest';
import { until } from '../../dev/kit/until.ts';
import { expectedError } from '../support/expected.ts';
import { readListings } from '../support/listings.ts';
import { useWorld } from '../support/world.ts';

test('what belongs to another account is not found, under any path, and stays as it is', async () => {
  const world = await useWorld({ agents: 1, ipv6PrefixLength: 124 });
  const [owner, stranger] = await Promise.all([world.account(), world.account()]);
  const [droplet = 0] = await world.droplets(owner, 1);
  const ip = await owner.reserve(world.region);
  const { id: actionId } = await owner.assign(ip, droplet);
  const [ownDroplet = 0] = await world.droplets(stranger, 1);
  const ownIp = await stranger.reserve(world.region);
  const ipv6 = await owner.reserveIpv6(world.region);
  const { id: ipv6ActionId } = await owner.assign(ipv6, droplet);
  const ownIpv6 = await stranger.reserveIpv6(world.region);
  const before = await Promise.all([readListings(owner), readListings(stranger)]);

  const requests: [method: string, path: string, body?: unknown][] = [
    ...['/v2/reserved_ips', '/v2/floating_ips'].flatMap((path): typeof requests => [
      ['GET', `${path}/${ip}`],
      ['DELETE', `${path}/${ip}`],
      ['GET', `${path}/${ip}/actions`],
      ['GET', `${path}/${ip}/actions/${actionId}`],
      ['POST', `${path}/${ip}/actions`, { type: 'unassign' }],
      ['POST', `${path}/${ip}/actions`, { type: 'assign', droplet_id: ownDroplet }],
      ['POST', `${path}/${ownIp}/actions`, { type: 'assign', droplet_id: droplet }],
      ['GET', `${path}/${ownIp}/actions/${actionId}`],
      ['POST', path, { droplet_id: droplet }],
      ['POST', path, { droplet_id: droplet, region: world.region }],
    ]),
    ['GET', `/v2/reserved_ipv6/${ipv6}`],
    ['DELETE', `/v2/reserved_ipv6/${ipv6}`],
    ['POST', `/v2/reserved_ipv6/${ipv6}/actions`, { type: 'unassign' }],
    ['POST', `/v2/reserved_ipv6/${ipv6}/actions`, { type: 'assign', droplet_id: ownDroplet }],
    ['POST', `/v2/reserved_ipv6/${ownIpv6}/actions`, { type: 'assign', droplet_id: droplet }],
    ['GET', `/v2/actions/${ipv6ActionId}`],
    ['GET', `/v2/actions/${actionId}`],
    ['GET', `/v2/droplets/${droplet}`],
    ['DELETE', `/v2/droplets/${droplet}`],
    ['GET', `/v2/droplets/${droplet}/actions`],
    ['GET', `/v2/droplets/${droplet}/actions/${actionId}`],
    ['GET', `/v2/droplets/${ownDroplet}/actions/${actionId}`],
    ['POST', `/v2/droplets/${droplet}/actions`, { type: 'rename', name: 'mine' }],
  ];
  for (const [method, path, body] of requests) {
    for (const headers of method === 'POST' ? [{}, { 'idempotency-key': `${path} ${JSON.stringify(body)}` }] : [{}]) {
      const answer = await stranger.http.send(method, path, { body, headers });
      expect(answer.status, `${method} ${path} ${JSON.stringify(body)}`).toBe(404);
      expect(answer.body).toEqual(
        expectedError('not_found', 'The resource you requested could not be found.', answer.headers),
      );
    }
  }

  expect(await Promise.all([readListings(owner), readListings(stranger)])).toEqual(before);
});

test('an address that was given back tells its next owner nothing of the one before', async () => {
  const world = await useWorld({ agents: 0, prefixLength: 32 });
  const [first, second] = await Promise.all([world.account(), world.account()]);
  const ip = await first.reserve(world.region);
  await first.release(ip);
  const { id: oldAction } = await until('the release was listed', async () => {
    const answer = await first.http.get('/v2/actions?per_page=1');
    return JSON.parse(answer.text).actions[0];
  });

  await until('the address came back', async () => {
    const answer = await second.http.post('/v2/reserved_ips', { region: world.region });
    return answer.status === 202;
  });

  expect(await second.http.get(`/v2/reserved_ips/${ip}/actions`)).toMatchObject({
    status: 200,
    body: { actions: [{ type: 'reserve_ip' }], meta: { total: 1 } },
  });
  expect(await second.http.get(`/v2/reserved_ips/${ip}/actions/${oldAction}`)).toMatchObject({ status: 404 });
  expect(await first.http.get(`/v2/reserved_ips/${ip}`)).toMatchObject({ status: 404 });
  expect(await first.http.get('/v2/actions')).toMatchObject({ body: { meta: { total: 2 } } });
});
