import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../dev/environment/ports.ts';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { setFlags, type TestGatewayOptions, useFlagFile, useGateway } from '../support/gateway.ts';
import { useLink } from '../support/link.ts';
import { useUpstream } from '../support/recording-upstream.ts';

const TIMEOUTS = { connectMs: 300, answerMs: 500, bodyMs: 500 };

/** Two upstreams, and a gateway whose flagged paths go to the new one. */
async function useUpstreams(options: Partial<TestGatewayOptions> = {}) {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  await setFlags(flagFile, 'all', { percent: 100 });
  const urls = { legacyUrl: legacy.url, apiUrl: fresh.url };
  const gateway = await useGateway({ ...urls, flagFile, timeouts: TIMEOUTS, ...options });
  return { legacy, fresh, gateway, http: new Http(gateway.url, null) };
}

const LIST: Parameters<Http['send']> = ['GET', '/v2/reserved_ips'];
const UNASSIGN: Parameters<Http['send']> = [
  'POST',
  '/v2/reserved_ips/192.0.2.1/actions',
  { body: { type: 'unassign' } },
];

describe('an upstream', () => {
  test('that cannot be connected to is a 503 that says of this request, and of no earlier one, that it changed nothing', async () => {
    const apiUrl = `http://127.0.0.1:${await freePort()}`;
    const { legacy, gateway, http } = await useUpstreams({ apiUrl });
    for (const request of [LIST, UNASSIGN]) {
      const answer = await http.send(...request);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).toBe('1');
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.body).toEqual({
        id: 'service_unavailable',
        message: 'The service is temporarily unavailable. This request was not passed on.',
        request_id: answer.headers.get('x-request-id'),
      });
    }
    expect(legacy.begun).toBe(0);
    expect(await gateway.metric('edge_upstream_failures_total', { upstream: 'new', failure: 'refused' })).toBe(2);
  });

  test('that does not answer in time is a 504, and is abandoned', async () => {
    const { legacy, fresh, gateway, http } = await useUpstreams();
    fresh.respond = () => {};
    const [read, change] = [await http.get('/v2/reserved_ips'), await http.send(...UNASSIGN)];
    expect(read).toMatchObject({ status: 504, body: { id: 'gateway_timeout' } });
    expect(change.body).toEqual({
      id: 'gateway_timeout',
      message: expect.stringContaining('It is not known whether the request was carried out.'),
      request_id: change.headers.get('x-request-id'),
    });
    await until('both requests were abandoned', async () => fresh.abandoned === 2);
    expect([fresh.begun, legacy.begun]).toEqual([2, 0]);
    const labels = { code_path: 'reserved_ips.unassign', upstream: 'new' };
    expect(await gateway.metric('edge_upstream_failures_total', { ...labels, failure: 'timeout' })).toBe(1);
    expect(await gateway.metric('edge_requests_total', { ...labels, status: '504' })).toBe(1);
  });

  test('that ends the connection before it answers is a 502, and nobody else is asked', async () => {
    const { legacy, fresh, http } = await useUpstreams();
    fresh.respond = (request) => void request.socket.destroy();
    for (const request of [LIST, UNASSIGN]) {
      expect(await http.send(...request)).toMatchObject({ status: 502, body: { id: 'bad_gateway' } });
    }
    expect([fresh.begun, legacy.begun]).toEqual([2, 0]);
  });

  test.each([
    ['ends', (destroy: () => void) => destroy()],
    ['stalls', () => {}],
  ])('that %s in the middle of its answer ends the client’s connection, and nobody else is asked', async (_, then) => {
    const { legacy, fresh, gateway, http } = await useUpstreams();
    fresh.respond = (request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"reserved_ips":', () => then(() => request.socket.destroy()));
    };
    await expect(http.get('/v2/reserved_ips')).rejects.toThrow();
    expect([fresh.begun, legacy.begun]).toEqual([1, 0]);
    const broken = () => gateway.metric('edge_upstream_failures_total', { upstream: 'new', failure: 'broken' });
    await until('it was counted', async () => (await broken()) === 1);
  });

  test('whose connection was lost while it was kept is connected to again', async () => {
    const fresh = await useUpstream('far');
    const link = await useLink(new URL(fresh.url).host);
    const { http } = await useUpstreams({ apiUrl: `http://${link.address}` });
    expect(await http.get('/v2/reserved_ips')).toMatchObject({ status: 200 });
    link.become('open');
    await until('it is served again', async () => (await http.get('/v2/reserved_ips')).status === 200);
    link.become('refusing');
    const { status } = await http.get('/v2/reserved_ips');
    expect([502, 503]).toContain(status);
    link.become('open');
    expect(await http.get('/v2/reserved_ips')).toMatchObject({ status: 200 });
  });

  test('that answers before it has read a large body is heard', async () => {
    const { legacy, http } = await useUpstreams();
    legacy.respond = (request, response) => {
      request.pause();
      response.writeHead(413, { 'content-type': 'application/json' }).end('{"id":"payload_too_large"}');
    };
    const answer = await http.send('PUT', '/v2/droplets', { rawBody: 'x'.repeat(200_000) });
    expect(answer).toMatchObject({ status: 413, body: { id: 'payload_too_large' } });
  });
});

describe('a client that leaves', () => {
  test('while it waits takes its request back from the upstream', async () => {
    const { fresh, gateway } = await useUpstreams({ timeouts: { ...TIMEOUTS, answerMs: 30_000 } });
    fresh.respond = () => {};
    const request = httpRequest(`${gateway.url}/v2/reserved_ips`).end();
    request.on('error', () => {});
    await until('it has reached the upstream', async () => fresh.begun === 1);
    request.destroy();
    await until('the upstream was abandoned', async () => fresh.abandoned === 1);
    await until('it was counted', async () => (await gateway.metric('edge_requests_total', { status: 'none' })) === 1);
    expect(await gateway.metric('edge_upstream_failures_total')).toBe(0);
  });

  test('before its whole body is there has sent nothing to anybody', async () => {
    const { legacy, fresh, gateway, http } = await useUpstreams();
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /v2/reserved_ips/192.0.2.1/actions HTTP/1.1\r\nhost: x\r\ncontent-length: 19\r\n\r\n{"type":"una',
    );
    await once(socket, 'ready');
    socket.destroy();
    // What comes later would be served after it.
    expect(await http.send(...UNASSIGN)).toMatchObject({ status: 200 });
    expect([fresh.begun, legacy.begun]).toEqual([1, 0]);
    expect(gateway.log()).not.toContain('request failed');
  });
});
