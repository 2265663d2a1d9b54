import { describe, expect, test } from 'vitest';
import { readAction, readAddress } from '../../dev/kit/account.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';

describe('a client may', () => {
  test('send fields that nobody knows', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
    const extra = { extra: { deep: [1, null] }, ip: '192.0.2.1', account_id: 1, locked: true };

    const ip = readAddress(await account.http.post('/v2/reserved_ips', { region: world.region, ...extra }));
    const assign = { type: 'assign', droplet_id: droplet, resource: 'x', ...extra };
    await account.completed(readAction(await account.http.post(`/v2/reserved_ips/${ip}/actions`, assign)));

    expect(await account.show(ip)).toMatchObject({ ip, droplet: { id: droplet } });
  });

  test('send a key twice: the last one counts', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });
    const ip = readAddress(
      await account.http.send('POST', '/v2/reserved_ips', { rawBody: `{"region":"x","region":"${world.region}"}` }),
    );

    const rawBody = `{"type":"assign","droplet_id":${droplet},"type":"assign"}`;
    const answer = await account.http.send('POST', `/v2/reserved_ips/${ip}/actions`, { rawBody });

    await account.completed(readAction(answer));
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet } });
  });

  test('write an integer in another form of the same number, and null for what it leaves out', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1 });

    const rawBody = `{"type":"assign","droplet_id":${droplet}.0}`;
    const answer = await account.http.send('POST', `/v2/reserved_ips/${ip}/actions`, { rawBody });
    await account.completed(readAction(answer));

    const body = { region: world.region, droplet_id: null, project_id: null };
    expect(await account.http.post('/v2/reserved_ips', body)).toMatchObject({ status: 202 });
  });

  test('begin its body with a byte order mark, and put white space around it', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    for (const rawBody of [`\ufeff{"region":"${world.region}"}`, `\r\n\t {"region" : "${world.region}"} \n`]) {
      expect(await account.http.send('POST', '/v2/reserved_ips', { rawBody })).toMatchObject({ status: 202 });
    }
  });

  test('send its body in pieces, without saying how long it is', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const pieces = JSON.stringify({ region: world.region }).match(/.{1,5}/g) ?? [];
    const response = await fetch(`${account.http.baseUrl}/v2/reserved_ips`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.http.token}`, 'content-type': 'application/json' },
      body: ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()),
      duplex: 'half',
    });
    expect(response.status).toBe(202);
    expect(await account.http.get('/v2/reserved_ips')).toMatchObject({ body: { meta: { total: 1 } } });
  });

  test('leave out Content-Type, and accept anything or nothing', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    for (const accept of ['', '*/*', 'text/html', 'application/xml']) {
      const answer = await account.http.get('/v2/reserved_ips', { headers: { accept } });
      expect(answer.status, accept).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    }
    const response = await fetch(`${account.http.baseUrl}/v2/reserved_ips`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.http.token}` },
      body: new Uint8Array(Buffer.from(JSON.stringify({ region: world.region }))),
    });
    expect(response.status).toBe(202);
  });

  test('end a path with a slash, which is answered directly', async () => {
    const { world, account, droplet } = await useCustomer({ agents: 1, droplets: 1 });

    const ip = readAddress(await account.http.post('/v2/reserved_ips/', { region: world.region }));
    const body = { type: 'assign', droplet_id: droplet };
    const { id } = readAction(await account.http.post(`/v2/reserved_ips/${ip}/actions/`, body));
    await account.completed({ id });
    for (const path of [
      '/v2/account/',
      '/v2/actions/',
      `/v2/actions/${id}/`,
      '/v2/droplets/',
      `/v2/droplets/${droplet}/`,
      `/v2/droplets/${droplet}/actions/`,
      '/v2/floating_ips/',
      `/v2/floating_ips/${ip}/`,
      `/v2/floating_ips/${ip}/actions/`,
      `/v2/floating_ips/${ip}/actions/${id}/`,
    ]) {
      const slashed = await account.http.get(path);
      expect(slashed, path).toMatchObject({ status: 200, body: (await account.http.get(path.slice(0, -1))).body });
    }
    expect(await account.http.delete(`/v2/reserved_ips/${ip}/`)).toMatchObject({ status: 204 });
    expect(await account.http.delete(`/v2/droplets/${droplet}/`)).toMatchObject({ status: 204 });
  });

  test('escape what needs no escape in a path', async () => {
    const { account, ip } = await useReserved({ agents: 0, droplets: 0 });
    expect(await account.http.get(`/v2/reserved_ips/${ip.replaceAll('.', '%2E')}`)).toMatchObject({
      status: 200,
      body: { reserved_ip: { ip } },
    });
  });

  test('name its request, and read the name in the answer', async () => {
    const { account } = await useCustomer({ agents: 0 });
    const named = await account.http.get('/v2/actions/1', { headers: { 'x-request-id': 'my-request:1.2_3' } });
    expect(named.headers.get('x-request-id')).toBe('my-request:1.2_3');
    expect(named.body).toMatchObject({ request_id: 'my-request:1.2_3' });

    for (const id of ['a b', '"', 'x'.repeat(129), '{}']) {
      const answer = await account.http.get('/v2/account', { headers: { 'x-request-id': id } });
      expect(answer.headers.get('x-request-id'), id).toMatch(/^[\da-f-]{36}$/);
    }
  });
});
