import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { setFlags, type TestGatewayOptions, useFlagFile, useGateway } from '../support/gateway.ts';
import { type RecordingUpstream, useUpstream } from '../support/recording-upstream.ts';
import { useCustomer } from '../support/reserved.ts';

/** A gateway that sends everything to one recording upstream. */
async function useProxy(options: Partial<TestGatewayOptions> = {}) {
  const [upstream, flagFile] = await Promise.all([useUpstream('upstream'), useFlagFile()]);
  await setFlags(flagFile, 'all', { percent: 100 });
  const gateway = await useGateway({ legacyUrl: upstream.url, apiUrl: upstream.url, flagFile, ...options });
  return { upstream, gateway };
}

/** Sends a request with exactly these header lines. */
async function send(url: string, { method = 'GET', headers = [] as string[], body = '', agent = new Agent() } = {}) {
  const request = httpRequest(url, { method, headers: ['host', new URL(url).host, ...headers], agent });
  request.end(body === '' ? undefined : body);
  const [response] = await once(request, 'response');
  return { response, text: await text(response) };
}

/** The values of a field, in the order in which they arrived. */
function valuesOf({ last }: RecordingUpstream, name: string): string[] {
  return last.rawHeaders.filter((_, at) => at % 2 === 1 && last.rawHeaders[at - 1]?.toLowerCase() === name);
}

test('end-to-end fields arrive as they were sent, those of the hop do not', async () => {
  const { upstream, gateway } = await useProxy({ requestHeaders: ['x-twice'] });
  await send(`${gateway.url}/v2/reserved_ips?a=%20&a=b+c`, {
    headers: [
      ...['authorization', 'Bearer x', 'idempotency-key', 'key-1', 'x-request-id', 'my-request:1'],
      ...['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'tracestate', 'a=1,b=2'],
      ...['X-Twice', 'one', 'X-Twice', 'two', 'accept-encoding', 'br;q=1, gzip', 'if-none-match', '"x"'],
      ...[
        'connection',
        'keep-alive, X-Of-The-Hop',
        'x-of-the-hop',
        'secret',
        'keep-alive',
        'timeout=5',
        'te',
        'trailers',
      ],
      ...['proxy-authorization', 'Basic x', 'upgrade', 'h2c'],
    ],
  });
  expect(upstream.last.url).toBe('/v2/reserved_ips?a=%20&a=b+c');
  expect(upstream.last.headers).toMatchObject({
    authorization: 'Bearer x',
    'idempotency-key': 'key-1',
    'x-request-id': 'my-request:1',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=1,b=2',
    'accept-encoding': 'br;q=1, gzip',
    'if-none-match': '"x"',
    host: new URL(upstream.url).host,
    via: '1.1 edge',
  });
  expect(valuesOf(upstream, 'x-twice')).toEqual(['one', 'two']);
  expect(valuesOf(upstream, 'x-request-id')).toEqual(['my-request:1']);
  for (const name of ['x-of-the-hop', 'keep-alive', 'te', 'proxy-authorization', 'upgrade']) {
    expect(upstream.last.headers, name).not.toHaveProperty(name);
  }
});

test('a request without a name gets one, the same for the upstream, the answer and the log', async () => {
  const { upstream, gateway } = await useProxy();
  for (const headers of [[], ['x-request-id', 'not acceptable']]) {
    const { response } = await send(`${gateway.url}/v2/account`, { headers });
    const id = response.headers['x-request-id'];
    expect(id).toMatch(/^[\da-f-]{36}$/);
    expect(valuesOf(upstream, 'x-request-id')).toEqual([id]);
    expect(gateway.log()).toContain(id);
  }
});

test('where a request came from is said by the gateway alone, unless a proxy in front is trusted', async () => {
  const claims = [
    ...['x-forwarded-for', '203.0.113.9', 'x-forwarded-proto', 'https', 'x-forwarded-host', 'api.example.com'],
    ...['forwarded', 'for=203.0.113.9', 'x-real-ip', '203.0.113.9', 'x-forwarded-port', '443'],
  ];
  const open = await useProxy();
  await send(`${open.gateway.url}/v2/account`, { headers: claims });
  expect(open.upstream.last.headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-forwarded-host': new URL(open.gateway.url).host,
  });
  for (const name of ['forwarded', 'x-real-ip', 'x-forwarded-port']) {
    expect(open.upstream.last.headers).not.toHaveProperty(name);
  }

  const behind = await useProxy({ trustForwarded: true });
  await send(`${behind.gateway.url}/v2/account`, { headers: claims });
  expect(behind.upstream.last.headers).toMatchObject({
    'x-forwarded-for': '203.0.113.9, 127.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'api.example.com',
    'x-forwarded-port': '443',
  });
});

test('an answer goes back as it is: status, fields, encoding', async () => {
  const { upstream, gateway } = await useProxy();
  const body = gzipSync('{"reserved_ips":[]}');
  upstream.respond = (_, response) => {
    response.writeHead(418, 'Short and stout', [
      ...['set-cookie', 'a=1', 'set-cookie', 'b=2', 'content-encoding', 'gzip', 'content-type', 'application/json'],
      ...['content-length', String(body.length), 'retry-after', '7', 'ratelimit-remaining', '4999', 'etag', '"x"'],
      ...['x-request-id', 'of-the-upstream', 'connection', 'keep-alive, x-of-the-hop', 'x-of-the-hop', 'secret'],
    ]);
    response.end(body);
  };
  const answer = await fetch(`${gateway.url}/v2/reserved_ips`);
  expect([answer.status, answer.statusText, await answer.text()]).toEqual([
    418,
    'Short and stout',
    '{"reserved_ips":[]}',
  ]);
  expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    'content-encoding': 'gzip',
    'content-length': String(body.length),
    'retry-after': '7',
    'ratelimit-remaining': '4999',
    etag: '"x"',
    'x-request-id': 'of-the-upstream',
  });
  expect(answer.headers.has('x-of-the-hop')).toBe(false);
});

test('an answer without a body has none, a redirect is not followed, and HEAD keeps the length', async () => {
  const { upstream, gateway } = await useProxy();
  upstream.respond = (request, response) => {
    if (request.method === 'DELETE') response.writeHead(204).end();
    else response.writeHead(302, { location: '/v2/elsewhere', 'content-length': '5' }).end('there');
  };
  expect((await fetch(`${gateway.url}/v2/reserved_ips/192.0.2.1`, { method: 'DELETE' })).status).toBe(204);
  const moved = await fetch(`${gateway.url}/v2/reserved_ips`, { redirect: 'manual' });
  expect([moved.status, moved.headers.get('location'), await moved.text()]).toEqual([302, '/v2/elsewhere', 'there']);
  const head = await send(`${gateway.url}/v2/reserved_ips`, { method: 'HEAD' });
  expect([head.response.statusCode, head.response.headers['content-length'], head.text]).toEqual([302, '5', '']);
});

test('an answer begins at the client while the upstream still writes it', async () => {
  const { upstream, gateway } = await useProxy();
  let finish = () => {};
  upstream.respond = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/plain' }).write('first');
    finish = () => response.end('last');
  };
  const answer = await fetch(`${gateway.url}/v2/droplets`);
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect(await reader?.read()).toEqual({ done: false, value: 'first' });
  finish();
  expect(await reader?.read()).toEqual({ done: false, value: 'last' });
});

test('a body begins at the upstream while the client still writes it', async () => {
  const { upstream, gateway } = await useProxy();
  let arrived = '';
  upstream.respond = (request) => void request.on('data', (chunk) => (arrived += chunk));
  const request = httpRequest(`${gateway.url}/v2/droplets`, { method: 'POST' });
  request.on('error', () => {});
  request.write('first');
  await until('the first part was there', async () => arrived === 'first');
  request.destroy();
});

test('what a client does not read is not held by the gateway: the upstream has to wait', async () => {
  const { upstream, gateway } = await useProxy();
  const [piece, pieces] = [Buffer.alloc(1_048_576), 64];
  let written = 0;
  upstream.respond = async (_, response) => {
    for (; written < pieces; written++) if (!response.write(piece)) await once(response, 'drain');
    response.end();
  };
  const request = httpRequest(`${gateway.url}/v2/droplets`).end();
  const [response] = await once(request, 'response');
  let before = -1;
  // It has stopped when a second look sees no more than the first.
  await until('the upstream had to wait', async () => {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const same = written === before;
    before = written;
    return same;
  });
  expect(written).toBeLessThan(pieces / 2);
  let received = 0;
  for await (const chunk of response) received += chunk.length;
  expect(received).toBe(piece.length * pieces);
});

test('connections to an upstream are kept and used again', async () => {
  const { upstream, gateway } = await useProxy();
  for (let count = 0; count < 30; count++) {
    expect((await send(`${gateway.url}/v2/reserved_ips`)).response.statusCode).toBe(200);
  }
  expect([upstream.arrivals.length, upstream.connections]).toEqual([30, 1]);
});

test('the links in an answer lead back to the gateway, by both ways', async () => {
  const { world, account } = await useCustomer({ agents: 1 });
  const flagFile = await useFlagFile();
  await setFlags(flagFile, 'list', { allow: [String(account.id)] });
  const { apiUrl, secondApiUrl } = inject('environment');
  const gateway = await useGateway({ legacyUrl: secondApiUrl, apiUrl, flagFile });
  const ip = await account.reserve(world.region);
  await account.reserve(world.region);
  const listing = z.object({ links: z.object({ pages: z.object({ next: z.string() }) }) });
  const http = account.http.at(gateway.url);
  const { links } = expectAnswer(await http.get('/v2/reserved_ips?per_page=1'), 200, listing);
  expect(links.pages.next).toBe(`${gateway.url}/v2/reserved_ips?per_page=1&page=2`);
  expect(await http.get(links.pages.next.slice(gateway.url.length))).toMatchObject({ status: 200 });
  const actions = await http.get(`/v2/reserved_ips/${ip}/actions?per_page=1`);
  expect(actions).toMatchObject({ status: 200 });
  const [droplet = 0] = await world.droplets(account, 1);
  const created = await http.post('/v2/reserved_ips', { droplet_id: droplet });
  expect(created.body).toMatchObject({
    links: { droplets: [{ href: `${gateway.url}/v2/droplets/${droplet}` }] },
  });
  const sent = (upstream: string) => gateway.metric('edge_requests_total', { upstream });
  expect([await sent('new'), await sent('legacy')]).toEqual([2, 2]);
});
