import { createHash } from 'node:crypto';
import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useDatabase } from '../support/database.ts';
import { expectedError } from '../support/expected.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld, type World } from '../support/world.ts';

/** Makes a token and answers it with its number, by which it is revoked. */
async function issueToken(world: World, accountId: number): Promise<{ id: number; token: string }> {
  const answer = await world.admin.post(`/internal/v1/accounts/${accountId}/tokens`, { name: 'test' });
  return expectAnswer(answer, 201, z.object({ id: z.int(), token: z.string() }));
}

describe('a request', () => {
  test.each([
    ['without a token', undefined],
    ['with an empty header', ''],
    ['with a scheme alone', 'Bearer'],
    ['with an unknown token', 'Bearer rip_0123456789abcdef0123456789abcdef'],
    ['with a token of another kind', 'Basic dXNlcjpwYXNzd29yZA=='],
    ['with more than a token', 'Bearer one two'],
    ['with an endless token', `Bearer ${'x'.repeat(6_000)}`],
  ])('%s is rejected with 401 on every path, whatever else it says', async (_, authorization) => {
    const http = new Http(inject('environment').apiUrl, null);
    const headers = authorization === undefined ? {} : { authorization };

    for (const [method, path, rawBody] of [
      ['GET', '/v2/account', undefined],
      ['GET', '/v2/reserved_ips?page=0', undefined],
      ['POST', '/v2/reserved_ips', '{'],
      ['DELETE', '/v2/floating_ips/192.0.2.1', undefined],
      ['POST', '/v2/droplets/1/actions', '{"type":"rename","name":"mine"}'],
      ['GET', '/v2/no/such/path', undefined],
    ] as const) {
      const answer = await http.send(method, path, { headers, ...(rawBody !== undefined && { rawBody }) });
      expect(answer.status, `${method} ${path}`).toBe(401);
      expect(answer.body).toEqual(expectedError('unauthorized', 'Unable to authenticate you.', answer.headers));
      expect(answer.headers.get('ratelimit-limit')).toMatch(/^\d+$/);
    }
  });

  test('is not let in by the token of a host or of an operator', async () => {
    const world = await useWorld({ agents: 0 });
    const hostToken = await world.registerHost(`${world.region}-host`);

    for (const token of [hostToken, inject('environment').adminToken]) {
      expect(await new Http(world.admin.baseUrl, token).get('/v2/account')).toMatchObject({ status: 401 });
    }
    const customer = await world.account();
    expect(await customer.http.get('/internal/v1/accounts')).toMatchObject({ status: 401 });
    expect(await customer.http.get('/host/v1/events?after=0&wait=0')).toMatchObject({ status: 401 });
  });

  test('may write the scheme as it likes', async () => {
    const world = await useWorld({ agents: 0 });
    const { token } = (await world.account()).http;

    for (const authorization of [`bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}`]) {
      const answer = await world.admin.get('/v2/account', { headers: { authorization } });
      expect(answer.status, authorization.slice(0, 8)).toBe(200);
    }
  });
});

describe('a token', () => {
  test('is stored as a hash and nothing else', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const db = useDatabase();
    const { id, token } = await issueToken(world, account.id);

    const row = await db.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

    expect(row.hash.equals(createHash('sha256').update(token).digest())).toBe(true);
    const { hash: _, ...rest } = row;
    expect(JSON.stringify(rest)).not.toContain(token.slice(4, 12));
  });

  test('works from the moment it is made until, within a second, it is revoked, at every process', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const { id, token } = await issueToken(world, account.id);
    const processes = [inject('environment').apiUrl, inject('environment').secondApiUrl].map(
      (url) => new Http(url, token),
    );
    for (const http of processes) expect(await http.get('/v2/account')).toMatchObject({ status: 200 });

    expect(await world.admin.delete(`/internal/v1/accounts/${account.id}/tokens/${id}`)).toMatchObject({ status: 204 });

    await Promise.all(
      processes.map((http) =>
        until('the token was rejected', async () => (await http.get('/v2/account')).status === 401, 1_000),
      ),
    );
    expect(await account.http.get('/v2/account'), 'the account’s other token').toMatchObject({ status: 200 });
  });

  test('does only what its scopes say: all else is 403', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    const [droplet = 0, spare = 0] = await world.droplets(account, 2);
    const [ip, other] = [await account.reserve(world.region), await account.reserve(world.region)];
    const { id: actionId } = await account.assign(ip, droplet);
    const requests: [scope: string, method: string, path: string, body?: unknown][] = [
      ...['/v2/reserved_ips', '/v2/floating_ips'].flatMap((path): typeof requests => [
        ['reserved_ip:read', 'GET', path],
        ['reserved_ip:read', 'GET', `${path}/${ip}`],
        ['reserved_ip:read', 'GET', `${path}/${ip}/actions`],
        ['reserved_ip:read', 'GET', `${path}/${ip}/actions/${actionId}`],
        ['reserved_ip:create', 'POST', path, { region: world.region }],
        ['reserved_ip:update', 'POST', `${path}/${ip}/actions`, { type: 'unassign' }],
        ['reserved_ip:delete', 'DELETE', `${path}/${other}`],
      ]),
      ['actions:read', 'GET', '/v2/actions'],
      ['actions:read', 'GET', `/v2/actions/${actionId}`],
      ['account:read', 'GET', '/v2/account'],
      ['droplet:read', 'GET', '/v2/droplets'],
      ['droplet:read', 'GET', `/v2/droplets/${droplet}`],
      ['droplet:read', 'GET', `/v2/droplets/${droplet}/actions`],
      ['droplet:read', 'GET', `/v2/droplets/${droplet}/actions/${actionId}`],
      ['droplet:create', 'POST', '/v2/droplets', { name: 'a', region: 'nowhere', size: 's-1vcpu-1gb', image: 'x' }],
      ['droplet:update', 'POST', `/v2/droplets/${droplet}/actions`, { type: 'rename', name: 'renamed' }],
      ['droplet:delete', 'DELETE', `/v2/droplets/${spare}`],
    ];
    const scopes = [...new Set(requests.map(([scope]) => scope))];
    const before = await account.http.get('/v2/actions');

    for (const [scope, method, path, body] of requests) {
      const others = await world.token(account.id, { scopes: scopes.filter((one) => one !== scope) });
      const answer = await new Http(world.admin.baseUrl, others).send(method, path, { body });
      expect(answer.status, `${method} ${path} without ${scope}`).toBe(403);
      expect(answer.body).toEqual(
        expectedError('forbidden', 'You do not have permission to perform this action.', answer.headers),
      );
    }
    expect((await account.http.get('/v2/actions')).body).toEqual(before.body);

    for (const [scope, method, path, body] of requests) {
      const only = await world.token(account.id, { scopes: [scope] });
      const answer = await new Http(world.admin.baseUrl, only).send(method, path, { body });
      expect(answer.status, `${method} ${path} with ${scope}`).not.toBe(403);
    }
  });
});
