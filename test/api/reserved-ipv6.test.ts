import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { readAction, readIpv6Address } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { expectedAction, expectedDroplet, expectedError, expectedIpv6Address } from '../support/expected.ts';
import { useCustomer } from '../support/reserved.ts';

const PATH = '/v2/reserved_ipv6';
const NOT_FOUND = 'The resource you requested could not be found.';

/** Every way of writing an address that means the same. */
function spellingsOf(ip: string): string[] {
  const groups = ip.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const [head = [], tail = []] = groups;
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const full = groups.length === 1 ? head : [...head, ...zeros, ...tail];
  const padded = full.map((group) => group.padStart(4, '0'));
  const [high = 0, low = 0] = full.slice(6).map((group) => Number.parseInt(group, 16));
  const dotted = [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return [
    ip,
    encodeURIComponent(ip),
    ip.toUpperCase(),
    full.join(':'),
    padded.join(':'),
    encodeURIComponent(padded.join(':').toUpperCase()),
    [...full.slice(0, 6), dotted].join(':'),
  ];
}

describe(PATH, () => {
  test('lists the IPv6 addresses of the account, and no IPv4 ones', async () => {
    const { world, account } = await useCustomer({ agents: 0, ipv6PrefixLength: 124 });
    await account.reserve(world.region);
    expect((await account.http.get(PATH)).body).toEqual({ reserved_ipv6s: [], links: {}, meta: { total: 0 } });

    const ips = [await account.reserveIpv6(world.region), await account.reserveIpv6(world.region)];

    const answer = await account.http.get(PATH);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      reserved_ipv6s: ips.map((ip) => expectedIpv6Address(ip, world.region)),
      links: {},
      meta: { total: 2 },
    });
    expect(await account.http.get('/v2/reserved_ips')).toMatchObject({ body: { meta: { total: 1 } } });
    const { apiUrl } = inject('environment');
    expect((await account.http.get(`${PATH}?per_page=1`)).body).toEqual({
      reserved_ipv6s: [expectedIpv6Address(ips[0], world.region)],
      links: {
        pages: {
          next: `${apiUrl}${PATH}?per_page=1&page=2`,
          last: `${apiUrl}${PATH}?per_page=1&page=2`,
        },
      },
      meta: { total: 2 },
    });
  });

  test('reserves in a region: 201 with the address in its canonical form', async () => {
    const { world, account } = await useCustomer({ agents: 0, ipv6PrefixLength: 124 });

    const answer = await account.http.post(PATH, { region_slug: world.region });

    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      reserved_ipv6: expectedIpv6Address(expect.stringMatching(/^2001:db8:[\da-f:]+$/), world.region),
    });
    expect(spellingsOf(readIpv6Address(answer))[0]).toBe(readIpv6Address(answer));
  });

  test.each([
    [{}, 'region_slug is required.'],
    [{ region: 'nyc3' }, 'region_slug is required.'],
    [{ region_slug: 3 }, 'region_slug must be a string.'],
    [{ region_slug: 'nowhere' }, 'The region is invalid or not available.'],
    [[], 'The request body must be an object.'],
  ])('does not reserve by %j: 422', async (body, message) => {
    const { account } = await useCustomer({ agents: 0 });
    const answer = await account.http.post(PATH, body);
    expect(answer.status).toBe(422);
    expect(answer.body).toEqual(expectedError('unprocessable_entity', message, answer.headers));
  });

  test('shows an address alone, and with the whole droplet that it is assigned to', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
    const ip = await account.reserveIpv6(world.region);
    expect((await account.http.get(`${PATH}/${ip}`)).body).toEqual({
      reserved_ipv6: expectedIpv6Address(ip, world.region),
    });

    await account.assign(ip, droplet);

    const onDroplet = expectedDroplet(droplet, world.region, { reservedIpv6: ip });
    expect((await account.http.get(`${PATH}/${ip}`)).body).toEqual({
      reserved_ipv6: expectedIpv6Address(ip, world.region, { droplet: onDroplet }),
    });
    expect((await account.http.get(`/v2/droplets/${droplet}`)).body).toEqual({ droplet: onDroplet });
  });

  test('assigns and unassigns: 201 with the action, which is the same wherever it is read', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
    const ip = await account.reserveIpv6(world.region);
    const resourceIds = new Set<number | null>();

    for (const body of [{ type: 'assign', droplet_id: droplet }, { type: 'unassign' }]) {
      const answer = await account.http.post(`${PATH}/${ip}/actions`, body);

      expect(answer.status).toBe(201);
      const action = readAction(answer);
      const { id, resource_id } = action;
      resourceIds.add(resource_id);
      const subject = { type: `${body.type}_ip`, resource_type: 'reserved_ipv6', resource_id };
      expect(answer.body).toEqual({
        action: expectedAction(subject, world.region, { status: 'in-progress', completed_at: null }),
      });
      await account.completed(action);
      for (const path of [`/v2/actions/${id}`, `/v2/droplets/${droplet}/actions/${id}`]) {
        expect((await account.http.get(path)).body, path).toEqual({
          action: expectedAction(subject, world.region, { id }),
        });
      }
    }
    expect(resourceIds.size, 'one number stands for the address').toBe(1);
    expect(await account.http.get('/v2/actions?per_page=3')).toMatchObject({
      body: { actions: ['unassign_ip', 'assign_ip', 'reserve_ip'].map((type) => ({ type })) },
    });
  });

  test('releases: 204 without a body', async () => {
    const { world, account } = await useCustomer({ agents: 0, ipv6PrefixLength: 124 });
    const ip = await account.reserveIpv6(world.region);

    expect(await account.http.delete(`${PATH}/${ip}`)).toMatchObject({ status: 204, text: '' });

    expect(await account.http.get(`${PATH}/${ip}`)).toMatchObject({ status: 404 });
    expect(await account.http.get(PATH)).toMatchObject({ body: { meta: { total: 0 } } });
    expect(await account.http.delete(`${PATH}/${ip}`)).toMatchObject({ status: 404 });
  });

  test('does not release an assigned address: 400, and it stays where it is', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
    const ip = await account.reserveIpv6(world.region);
    await account.assign(ip, droplet);

    const answer = await account.requestRelease(ip);

    expect(answer.status).toBe(400);
    expect(answer.body).toEqual(
      expectedError('bad_request', expect.stringContaining('reserved IPv6 is assigned'), answer.headers),
    );
    expect(await account.showIpv6(ip)).toMatchObject({ droplet: { id: droplet } });
    await account.unassign(ip);
    await account.release(ip);
  });

  test('knows an address by any spelling, percent-encoded or not, and answers the canonical one', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
    const ip = await account.reserveIpv6(world.region);

    for (const spelling of spellingsOf(ip)) {
      const url = `${PATH}/${spelling}`;
      expect(await account.http.get(url), url).toMatchObject({ status: 200, body: { reserved_ipv6: { ip } } });
      const assign = { type: 'assign', droplet_id: droplet };
      await account.completed(readAction(await account.http.post(`${url}/actions`, assign)));
      await account.completed(readAction(await account.http.post(`${url}/actions`, { type: 'unassign' })));
    }
    const [, , upperCase] = spellingsOf(ip);
    expect(await account.http.delete(`${PATH}/${upperCase}`)).toMatchObject({ status: 204 });
  });

  test.each([
    'nothing',
    '203.0.113.7',
    '::ffff:203.0.113.7',
    '2001:db8::1::2',
    '2001:db8::1%25eth0',
    '%5B2001:db8::1%5D',
    '2001:db8::1%2F64',
    '2001:db8::012.2.3.4',
    '20010:db8::1',
    ':',
    '%zz',
  ])('finds nothing by the name %s: 404', async (name) => {
    const { account } = await useCustomer({ agents: 0 });
    for (const [method, end, body] of [
      ['GET', '', undefined],
      ['DELETE', '', undefined],
      ['POST', '/actions', { type: 'assign', droplet_id: 1 }],
      ['POST', '/actions', { type: 'unassign' }],
    ] as const) {
      const answer = await account.http.send(method, `${PATH}/${name}${end}`, { body });
      expect(answer.status, `${method} ${end}`).toBe(404);
      expect(answer.body).toEqual(expectedError('not_found', NOT_FOUND, answer.headers));
    }
  });

  test('is apart from the IPv4 paths: an address of the other IP version is not found', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
    const [ipv4, ipv6] = [await account.reserve(world.region), await account.reserveIpv6(world.region)];

    for (const url of [`/v2/reserved_ips/${ipv6}`, `/v2/floating_ips/${ipv6}`, `${PATH}/${ipv4}`]) {
      expect(await account.http.get(url), url).toMatchObject({ status: 404 });
      const assign = { type: 'assign', droplet_id: droplet };
      expect(await account.http.post(`${url}/actions`, assign), url).toMatchObject({ status: 404 });
      expect(await account.http.post(`${url}/actions`, { type: 'unassign' }), url).toMatchObject({ status: 404 });
      expect(await account.http.delete(url), url).toMatchObject({ status: 404 });
    }
    expect(await account.show(ipv4)).toMatchObject({ droplet: null, locked: false });
    expect(await account.showIpv6(ipv6)).toMatchObject({ droplet: null });
  });

  test('lets a token do what its reserved_ip rights are', async () => {
    const { world, account } = await useCustomer({ agents: 0, ipv6PrefixLength: 124 });
    const ip = await account.reserveIpv6(world.region);
    const requests = [
      ['reserved_ip:read', 'GET', PATH, undefined, 200],
      ['reserved_ip:read', 'GET', `${PATH}/${ip}`, undefined, 200],
      ['reserved_ip:create', 'POST', PATH, { region_slug: world.region }, 201],
      ['reserved_ip:update', 'POST', `${PATH}/${ip}/actions`, { type: 'unassign' }, 422],
      ['reserved_ip:delete', 'DELETE', `${PATH}/${ip}`, undefined, 204],
    ] as const;
    for (const [scope, method, url, body, status] of requests) {
      for (const [right, expected] of [
        ['reserved_ip:none', 403],
        [scope, status],
      ] as const) {
        const token = await world.token(account.id, { scopes: [right] });
        const answer = await account.http.send(method, url, { body, headers: { authorization: `Bearer ${token}` } });
        expect(answer.status, `${method} ${url} with ${right}`).toBe(expected);
      }
    }
  });

  test('repeats the answer under one Idempotency-Key, also from another process', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, droplets: 1 });
    const elsewhere = account.at(inject('environment').secondApiUrl);
    const options = (key: string) => ({ headers: { 'idempotency-key': key } });

    const reserves = await Promise.all(
      [account, elsewhere].map(({ http }) => http.post(PATH, { region_slug: world.region }, options('reserve'))),
    );
    expect(reserves.map(({ status }) => status)).toEqual([201, 201]);
    expect(reserves[0]?.body).toEqual(reserves[1]?.body);
    expect(await account.http.get(PATH)).toMatchObject({ body: { meta: { total: 1 } } });

    const ip = readIpv6Address(await account.http.post(PATH, { region_slug: world.region }, options('reserve')));
    const assign = { type: 'assign', droplet_id: droplet };
    const assigns = await Promise.all(
      [account, elsewhere].map(({ http }) => http.post(`${PATH}/${ip}/actions`, assign, options('assign'))),
    );
    expect(assigns.map(({ status }) => status)).toEqual([201, 201]);
    const schema = z.object({ action: z.object({ id: z.int() }) });
    const ids = assigns.map((answer) => expectAnswer(answer, 201, schema).action.id);
    expect(ids[0]).toBe(ids[1]);
    await account.completed({ id: ids[0] ?? 0 });
  });

  test('says in a rejection what the address is called here', async () => {
    const { world, account } = await useCustomer({ agents: 1, ipv6PrefixLength: 124, reservedIpLimit: 2 });
    const [droplet = 0] = await world.droplets(account, 1);
    const [assigned, idle] = [await account.reserveIpv6(world.region), await account.reserveIpv6(world.region)];
    await account.assign(assigned, droplet);

    for (const answer of [
      await account.http.post(PATH, { region_slug: world.region }),
      await account.requestUnassign(idle),
      await account.requestAssign(idle, droplet),
      await account.requestAssign(assigned, droplet),
    ]) {
      expect(answer.status).toBe(422);
      expect(answer.body).toEqual(
        expectedError('unprocessable_entity', expect.stringContaining('reserved IPv6'), answer.headers),
      );
    }
  });
});
