import { describe, expect, inject, test } from 'vitest';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

describe('an Idempotency-Key', () => {
  test('gives one answer and one operation to the same request at two processes at once', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    const elsewhere = account.at(inject('environment').secondApiUrl);

    for (let round = 0; round < 10; round++) {
      const options = { headers: { 'idempotency-key': `round-${round}` } };
      const body = { region: world.region };
      const [here, there] = await Promise.all([
        account.http.post('/v2/reserved_ips', body, options),
        elsewhere.http.post('/v2/reserved_ips', body, options),
      ]);
      expect([here.status, there.status], `round ${round}`).toEqual([202, 202]);
      expect(here.body).toEqual(there.body);
      expect(await account.http.get('/v2/reserved_ips')).toMatchObject({ body: { meta: { total: round + 1 } } });
    }
  });

  test('gives the same action again, also after it has completed', async () => {
    const { account, droplet, ip } = await useReserved({ agents: 1 });
    const headers = { 'idempotency-key': 'assign-once' };

    const first = await account.requestAssign(ip, droplet, headers);
    expect(first.status).toBe(201);
    await account.completed({ id: Number(JSON.parse(first.text).action.id) });

    const second = await account.requestAssign(ip, droplet, headers);
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(await account.http.get(`/v2/reserved_ips/${ip}/actions`)).toMatchObject({ body: { meta: { total: 2 } } });
  });

  test('used for another request is rejected with 422', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const options = { headers: { 'idempotency-key': 'mine' } };
    await account.http.post('/v2/reserved_ips', { region: world.region }, options);
    expect(await account.http.post('/v2/reserved_ips', { region: 'elsewhere' }, options)).toMatchObject({
      status: 422,
      body: { id: 'unprocessable_entity', message: expect.stringMatching(/idempotency/i) },
    });
    expect(await account.http.post('/v2/floating_ips', { region: world.region }, options)).toMatchObject({
      status: 422,
    });
  });

  test('repeats a rejection too', async () => {
    const { world, account } = await useCustomer({ agents: 0, reservedIpLimit: 1 });
    await account.reserve(world.region);
    const options = { headers: { 'idempotency-key': 'refused' } };
    const rejected = await account.http.post('/v2/reserved_ips', { region: world.region }, options);
    expect(rejected.status).toBe(422);
    expect(await account.http.post('/v2/reserved_ips', { region: world.region }, options)).toMatchObject({
      status: 422,
      body: { message: expect.stringContaining('limit') },
    });
  });

  test('of one account is nothing to another', async () => {
    const world = await useWorld({ agents: 0 });
    const [one, other] = await Promise.all([world.account(), world.account()]);
    const options = { headers: { 'idempotency-key': 'shared' } };
    const [first, second] = [
      await one.http.post('/v2/reserved_ips', { region: world.region }, options),
      await other.http.post('/v2/reserved_ips', { region: world.region }, options),
    ];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(first.body).not.toEqual(second.body);
  });
});
