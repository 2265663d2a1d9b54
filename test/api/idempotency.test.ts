import { describe, expect, inject, test } from 'vitest';
import { Http } from '../../dev/kit/http.ts';
import { useDatabase } from '../support/database.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });

describe('a request that repeats an Idempotency-Key', () => {
  test('is answered word for word as the first was, and says that it is a repetition', async () => {
    const { world, account } = await useCustomer({ agents: 0 });

    const first = await account.http.post('/v2/reserved_ips', { region: world.region }, keyed('a key'));
    const second = await account.http.post('/v2/reserved_ips', { region: world.region }, keyed('a key'));

    expect([first.status, second.status]).toEqual([202, 202]);
    expect(second.text).toBe(first.text);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'));
    expect(second.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
    expect(second.headers.get('ratelimit-limit')).toBe(first.headers.get('ratelimit-limit'));
  });

  test('is answered with the first one’s rejection, which names the first one’s request', async () => {
    const { account } = await useCustomer({ agents: 0 });

    for (const [status, rawBody] of [
      [400, '{'],
      [422, '{"region":"nowhere"}'],
      [404, '{"droplet_id":1}'],
    ] as const) {
      const options = { ...keyed(`key ${status}`), rawBody };
      const first = await account.http.send('POST', '/v2/reserved_ips', options);
      const second = await account.http.send('POST', '/v2/reserved_ips', options);
      expect([first.status, second.status]).toEqual([status, status]);
      expect(first.body).toMatchObject({ request_id: first.headers.get('x-request-id') });
      expect(second.text).toBe(first.text);
    }
  });

  test('is rejected when anything about it differs: body, path, or address', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const [ip, other] = [await account.reserve(world.region), await account.reserve(world.region)];
    await account.http.post(`/v2/reserved_ips/${ip}/actions`, { type: 'unassign' }, keyed('k'));

    for (const [path, body] of [
      [`/v2/reserved_ips/${ip}/actions`, { type: 'assign', droplet_id: 1 }],
      [`/v2/reserved_ips/${other}/actions`, { type: 'unassign' }],
      [`/v2/floating_ips/${ip}/actions`, { type: 'unassign' }],
      ['/v2/reserved_ips', { type: 'unassign' }],
    ] as const) {
      expect(await account.http.post(path, body, keyed('k')), path).toMatchObject({
        status: 422,
        body: { message: 'This Idempotency-Key was used for a different request.' },
      });
    }
  });
});

describe('an Idempotency-Key', () => {
  test('is not used up by a request that was not let in', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const body = { region: world.region };
    const { apiUrl } = inject('environment');
    const powerless = new Http(apiUrl, await world.token(account.id, { scopes: ['reserved_ip:read'] }));
    const hasty = new Http(apiUrl, await world.token(account.id, { requests_per_minute: 1 }));
    await hasty.get('/v2/account');

    expect(await new Http(apiUrl, null).post('/v2/reserved_ips', body, keyed('k'))).toMatchObject({ status: 401 });
    expect(await powerless.post('/v2/reserved_ips', body, keyed('k'))).toMatchObject({ status: 403 });
    expect(await hasty.post('/v2/reserved_ips', body, keyed('k'))).toMatchObject({ status: 429 });

    expect(await account.http.post('/v2/reserved_ips', body, keyed('k'))).toMatchObject({ status: 202 });
  });

  test('means nothing on anything but a POST', async () => {
    const { world, account, ip } = await useReserved({ agents: 0, droplets: 0 });

    expect(await account.http.get(`/v2/reserved_ips/${ip}`, keyed('k'))).toMatchObject({ status: 200 });
    expect(await account.http.send('DELETE', `/v2/reserved_ips/${ip}`, keyed('k'))).toMatchObject({ status: 204 });
    expect(await account.http.send('DELETE', `/v2/reserved_ips/${ip}`, keyed('k'))).toMatchObject({ status: 404 });
    expect(await account.http.post('/v2/reserved_ips', { region: world.region }, keyed('k'))).toMatchObject({
      status: 202,
    });
  });

  test('is stored as a hash and nothing else', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const db = useDatabase();
    await account.http.post('/v2/reserved_ips', { region: world.region }, keyed('perhaps-a-secret'));

    const rows = await db.selectFrom('idempotency_keys').selectAll().where('account_id', '=', account.id).execute();

    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows.map((row) => ({ ...row, key_hash: row.key_hash.toString('latin1') })))).not.toContain(
      'perhaps-a-secret',
    );
  });
});
