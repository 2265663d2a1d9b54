import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useWorld, type World } from '../support/world.ts';

const accountSchema = z.object({
  id: z.int(),
  uuid: z.uuid(),
  name: z.string(),
  email: z.string(),
  reserved_ip_limit: z.int(),
  droplet_limit: z.int(),
  created_at: z.iso.datetime(),
});
const tokenSchema = z.object({ id: z.int(), token: z.string() });

async function createAccount(world: World, more: Record<string, unknown> = {}) {
  const body = { name: 'Example', email: 'example@example.com', ...more };
  const answer = await world.admin.post('/internal/v1/accounts', body);
  return expectAnswer(answer, 201, z.object({ account: accountSchema })).account;
}

async function createToken(world: World, accountId: number, more: Record<string, unknown> = {}) {
  const answer = await world.admin.post(`/internal/v1/accounts/${accountId}/tokens`, { name: 'test', ...more });
  const { id, token } = expectAnswer(answer, 201, tokenSchema);
  return { id, token, http: new Http(world.admin.baseUrl, token) };
}

describe('an account', () => {
  test('has the usual limits when none are given, and is listed', async () => {
    const world = await useWorld({ agents: 0 });
    const account = await createAccount(world);
    expect(account).toMatchObject({ name: 'Example', reserved_ip_limit: 3, droplet_limit: 25 });
    const answer = await world.admin.get('/internal/v1/accounts');
    const { accounts } = expectAnswer(answer, 200, z.object({ accounts: z.array(accountSchema) }));
    expect(accounts).toContainEqual(account);
    const ids = accounts.map(({ id }) => id);
    expect(ids, 'oldest first').toEqual([...ids].sort((left, right) => left - right));
  });

  test('is held to its limits as they are now', async () => {
    const world = await useWorld({ agents: 0 });
    const { id } = await createAccount(world, { reserved_ip_limit: 1 });
    const { http } = await createToken(world, id);
    const reserve = () => http.post('/v2/reserved_ips', { region: world.region });
    expect(await reserve()).toMatchObject({ status: 202 });
    expect(await reserve()).toMatchObject({ status: 422, body: { message: expect.stringContaining('limit') } });

    const changed = await world.admin.send('PATCH', `/internal/v1/accounts/${id}`, { body: { reserved_ip_limit: 2 } });
    expect(changed).toMatchObject({
      status: 200,
      body: { account: { id, reserved_ip_limit: 2, droplet_limit: 25 } },
    });

    expect(await reserve()).toMatchObject({ status: 202 });
    expect(await reserve()).toMatchObject({ status: 422 });
    expect(await http.get('/v2/account')).toMatchObject({ body: { account: { floating_ip_limit: 2 } } });
  });

  test('is not made or changed by a request with mistakes', async () => {
    const world = await useWorld({ agents: 0 });
    const good = { name: 'Example', email: 'example@example.com' };
    const bodies = [
      {},
      { name: 'Example' },
      { ...good, name: ' ' },
      { ...good, email: 'example' },
      { ...good, reserved_ip_limit: -1 },
      { ...good, reserved_ip_limit: 1.5 },
      { ...good, droplet_limit: '3' },
      { ...good, droplet_limit: 1e9 },
      { ...good, reserved_ips: 3 },
    ];
    for (const body of bodies) {
      expect(await world.admin.post('/internal/v1/accounts', body), JSON.stringify(body)).toMatchObject({
        status: 422,
      });
    }
    const { id } = await createAccount(world);
    for (const body of [{ reserved_ip_limits: 5 }, { name: 'Other' }, { droplet_limit: null }]) {
      const answer = await world.admin.send('PATCH', `/internal/v1/accounts/${id}`, { body });
      expect(answer, JSON.stringify(body)).toMatchObject({ status: 422 });
    }
  });

  test('that does not exist is not found, whatever is asked of it', async () => {
    const world = await useWorld({ agents: 0 });
    for (const id of ['999999999', '0', '-1', 'x', '1.5']) {
      const path = `/internal/v1/accounts/${id}`;
      const answers = [
        await world.admin.send('PATCH', path, { body: { droplet_limit: 1 } }),
        await world.admin.post(`${path}/tokens`, { name: 'test' }),
        await world.admin.delete(`${path}/tokens/1`),
      ];
      for (const answer of answers) expect(answer.status, `${id}: ${answer.text}`).toBe(404);
    }
  });
});

describe('a customer’s token', () => {
  test('works at once in every API process', async () => {
    const world = await useWorld({ agents: 0 });
    const { id } = await createAccount(world);
    const { token, http } = await createToken(world, id);
    expect(token).toMatch(/^rip_[\w-]{43}$/);
    expect(await http.get('/v2/account')).toMatchObject({ status: 200 });
    expect(await http.at(inject('environment').secondApiUrl).get('/v2/account')).toMatchObject({ status: 200 });
  });

  test('stops working within a second of its revocation, in every API process, and the others go on', async () => {
    const world = await useWorld({ agents: 0 });
    const { id } = await createAccount(world);
    const [revoked, other] = [await createToken(world, id), await createToken(world, id)];
    const processes = [revoked.http, revoked.http.at(inject('environment').secondApiUrl)];
    for (const http of processes) await http.get('/v2/account');

    const path = `/internal/v1/accounts/${id}/tokens/${revoked.id}`;
    expect(await world.admin.delete(path)).toMatchObject({ status: 204, text: '' });

    await Promise.all(
      processes.map((http) =>
        until('the token stopped working', async () => (await http.get('/v2/account')).status === 401, 1_500),
      ),
    );
    expect(await other.http.get('/v2/account')).toMatchObject({ status: 200 });
    expect(await world.admin.delete(path), 'repeating it changes nothing').toMatchObject({ status: 204 });
  });

  test('is revoked through its own account only', async () => {
    const world = await useWorld({ agents: 0 });
    const [owner, other] = [await createAccount(world), await createAccount(world)];
    const { id, http } = await createToken(world, owner.id);
    expect(await world.admin.delete(`/internal/v1/accounts/${other.id}/tokens/${id}`)).toMatchObject({ status: 404 });
    expect(await world.admin.delete(`/internal/v1/accounts/${owner.id}/tokens/x`)).toMatchObject({ status: 404 });
    expect(await http.get('/v2/account')).toMatchObject({ status: 200 });
  });

  test('may do what its scopes say, as often as its limits say', async () => {
    const world = await useWorld({ agents: 0 });
    const { id } = await createAccount(world);
    const reader = await createToken(world, id, { scopes: ['reserved_ip:read'], requests_per_minute: 5 });
    expect(await reader.http.get('/v2/reserved_ips')).toMatchObject({ status: 200 });
    expect(await reader.http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({ status: 403 });
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 5; attempt++) statuses.push((await reader.http.get('/v2/reserved_ips')).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });

  test('is not made by a request with mistakes', async () => {
    const world = await useWorld({ agents: 0 });
    const { id } = await createAccount(world);
    const bodies = [
      {},
      { name: '' },
      { name: 'x', scopes: [] },
      { name: 'x', scopes: 'everything' },
      { name: 'x', scopes: ['two words'] },
      { name: 'x', requests_per_minute: 0 },
      { name: 'x', requests_per_hour: 'many' },
      { name: 'x', scope: ['*'] },
    ];
    for (const body of bodies) {
      const answer = await world.admin.post(`/internal/v1/accounts/${id}/tokens`, body);
      expect(answer.status, `${JSON.stringify(body)}: ${answer.text}`).toBe(422);
    }
  });
});
