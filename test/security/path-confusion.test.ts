import { text } from 'node:stream/consumers';
import { InMemoryProvider } from '@openfeature/server-sdk';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { createApp } from '../../api/app.ts';
import { createServices } from '../../dev/legacy/services/app.ts';
import { CODE_PATHS } from '../../edge/code-paths.ts';
import { createInspection } from '../../edge/inspection.ts';
import { Upstream } from '../../edge/upstream/upstream.ts';
import { RequestRejectedError } from '../../platform/http/rejection.ts';
import { startServer } from '../../platform/http/server.ts';
import { useDependencies } from '../support/app.ts';
import { setFlags, startGateway, type TestGateway, useFlagFile, useGateway } from '../support/gateway.ts';
import { ask, bytesOf, exchange, type RawAnswer, type RawRequest } from '../support/raw-http.ts';
import { type Arrival, RecordingUpstream, useUpstream } from '../support/recording-upstream.ts';
import { HOSTILE_HOSTS, latin1, READERS, respelledRequests } from '../support/respelled-requests.ts';

/*
 * Who may reach what, whichever way it is spelled: the table of the gateway's ways, and the three audiences of the API.
 */

const rejection = z.object({ id: z.string(), message: z.string(), request_id: z.string() });

/** Fails unless the answer is a rejection in the v2 form. */
function expectRejection(answer: RawAnswer, statuses: number[], what: string): void {
  expect(statuses, what).toContain(answer.status);
  expect(answer.headers.get('content-type'), what).toBe('application/json; charset=utf-8');
  expect(rejection.parse(answer.body, { error: () => what }).request_id, what).toBe(answer.headers.get('x-request-id'));
}

/** The way of a path by the table in docs/cut-over.md, as somebody reads it who sees these very characters. */
function wayOf(path: string): string {
  const [, first = '', second = '', ...rest] = path.replace(/(.)\/$/, '$1').split('/');
  if (['internal', 'host', 'healthz', 'readyz'].includes(first)) return first;
  if (first === 'openapi.json' && second === '') return 'openapi';
  if (first !== 'v2') return 'other';
  if (second === 'reserved_ipv6') return second;
  if (!['reserved_ips', 'floating_ips'].includes(second)) return 'other';
  return `${second} ${rest.length} ${rest[1] === undefined || rest[1] === 'actions'}`;
}

const PATHS = [
  ...['/internal/v1/accounts', '/internal', '/host/v1/events', '/v2/reserved_ipv6', '/openapi.json', '/healthz'],
  ...['/v2/reserved_ips', '/v2/floating_ips/192.0.2.1', '/v2/reserved_ips/192.0.2.1/actions', '/v2/account'],
  ...['/v2/floating_ips/192.0.2.1/actions/7', '/secret/admin'],
];

const adminHeaders = () => [`Authorization: Bearer ${inject('environment').adminToken}`];

describe('the gateway', () => {
  let legacy: RecordingUpstream;
  let fresh: RecordingUpstream;
  const gateways: (TestGateway & { close(): Promise<void> })[] = [];

  beforeAll(async () => {
    [legacy, fresh] = [await RecordingUpstream.start('legacy'), await RecordingUpstream.start('new')];
    for (const share of [0, 100] as const) {
      gateways.push(
        await startGateway({
          legacyUrl: `${legacy.url}/legacy/base`,
          apiUrl: `${fresh.url}/new/base/`,
          provider: allAt(share),
        }),
      );
    }
  });

  afterAll(async () => {
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await Promise.all([legacy.close(), fresh.close()]);
  });

  /** What arrived since it was last asked, by upstream. */
  function takeArrivals(): { legacy: Arrival[]; fresh: Arrival[] } {
    return { legacy: legacy.arrivals.splice(0), fresh: fresh.arrivals.splice(0) };
  }

  /** Sends a request to the gateway, and fails unless what arrived anywhere is what the table allows. */
  async function expectAllowed({ url }: TestGateway, isNew: boolean, request: RawRequest): Promise<Arrival | null> {
    const what = JSON.stringify(request);
    const answers = await exchange(url, bytesOf(request));
    expect(answers.length, what).toBe(1);
    const arrivals = takeArrivals();
    const all = [...arrivals.legacy, ...arrivals.fresh];
    const [arrival] = all;
    if (!arrival) {
      expect([200, 400, 404], what).toContain(answers[0]?.status);
      return null;
    }
    expect(all.length, what).toBe(1);
    const prefix = arrivals.legacy.length > 0 ? '/legacy/base' : '/new/base';
    expect(arrival.url, what).toMatch(/^\/[\w!$&'()*+,=:@~.%/?;-]*/);
    expect(arrival.url.startsWith(`${prefix}/`), what).toBe(true);
    const path = arrival.url.slice(prefix.length).split('?')[0] ?? '';
    const way = wayOf(path);
    for (const read of READERS) {
      expect(read(`${prefix}${path}`).startsWith(`${prefix}/`), `${what}: ${path} leaves the prefix`).toBe(true);
      expect(wayOf(read(path)), `${what}: ${path} as another reader sees it`).toBe(way);
    }
    expect(['internal', 'healthz', 'readyz'], what).not.toContain(way);
    const isFlagged = way.includes(' ') && isCodePath(arrival.method, path);
    const isSimilar = /^\/v2\/(reserved|floating)_ips/i.test(path);
    const isForNew = ['host', 'openapi', 'reserved_ipv6'].includes(way) || ((isFlagged || isSimilar) && isNew);
    expect(arrivals.fresh.length === 1, `${what}: ${arrival.method} ${path}`).toBe(isForNew);
    return arrival;
  }

  test.each(HOSTILE_HOSTS)('answers 400 to the host %j, with every flag off and on', async (host) => {
    for (const gateway of gateways) {
      for (const target of ['/internal/v1/accounts', '/v2/reserved_ips', '/healthz', '//v2', '/%69nternal']) {
        const request = { target, host: latin1(host), headers: adminHeaders() };
        const answer = await ask(gateway.url, request);
        expectRejection(answer, [400], JSON.stringify(request));
      }
    }
    expect(takeArrivals()).toEqual({ legacy: [], fresh: [] });
  });

  test('forwards what it routes, and nothing that the table does not allow, in 1,500 spellings', async () => {
    let arrived = 0;
    for (const [at, gateway] of gateways.entries()) {
      const host = new URL(gateway.url).host;
      for (const request of respelledRequests({ paths: PATHS, host, count: 750, seed: 11 + at })) {
        if ((await expectAllowed(gateway, at === 1, request)) !== null) arrived++;
      }
    }
    expect(arrived).toBeGreaterThan(100);
    expect(arrived).toBeLessThan(1_200);
  });

  test.each([
    ['/v2/reserved%5Fips/192%2e0%2E2%2E1?a=%2f', '/v2/reserved_ips/192.0.2.1?a=%2f'],
    ['/%76%32/reserved_ips', null],
    ['/v2/%72eserved_ips', '/v2/reserved_ips'],
    ['/../secret/admin', null],
    ['/%2e%2e/secret/admin', null],
    ['/x/.%2E/%2e./secret/admin', null],
    ['/v2/reserved_ips/..%2f..%2f..%2fsecret', null],
    ['/V2/reserved_ips', null],
    ['/v2/Reserved_IPs/192.0.2.1', null],
    ['/v2/reserved_ips/192.0.2.1/Actions', null],
    ['/INTERNAL/v1/accounts', null],
    ['/Host/v1/events', null],
    ['/inter\tnal/v1/accounts', null],
    ['/v2/reserved_ips;x', null],
    ['/v2//reserved_ips', null],
    ['//v2/reserved_ips', null],
    ['http://{host}/v2/reserved_ips?b', '/v2/reserved_ips?b'],
    ['HTTP://{host}', '/'],
    ['http://elsewhere/v2/reserved_ips', null],
    ['http://{host}/../internal/v1/accounts', null],
    ['*', null],
    ['v2/reserved_ips', null],
  ])('passes %j on as %j', async (target, forwarded) => {
    for (const [at, gateway] of gateways.entries()) {
      const { host } = new URL(gateway.url);
      const arrival = await expectAllowed(gateway, at === 1, { target: target.replace('{host}', host), host });
      expect(arrival?.url.replace(/^\/(legacy|new)\/base/, '') ?? null).toBe(forwarded);
    }
  });

  test('counts and logs a request by the path that was forwarded', async () => {
    const [, gateway] = gateways;
    if (!gateway) throw new Error('there is no gateway');
    const { host } = new URL(gateway.url);
    const headers = ['X-Request-Id: respelled-1'];
    await expectAllowed(gateway, true, { target: '/v2/reserved%5fips/192%2e0.2.1', host, headers });
    const line = gateway
      .log()
      .split('\n')
      .find((one) => one.includes('respelled-1'));
    expect(line).toContain('"path":"/v2/reserved_ips/192.0.2.1","codePath":"reserved_ips.show"');
  });

  test('does without Host in HTTP/1.0 alone, and takes one Host at most', async () => {
    const [gateway] = gateways;
    if (!gateway) throw new Error('there is no gateway');
    const target = '/v2/reserved_ips';
    const [first] = await exchange(gateway.url, bytesOf({ target, host: null, version: 'HTTP/1.0' }));
    expect(first?.status).toBe(200);
    expect(takeArrivals().legacy[0]?.headers['x-forwarded-host']).toBe(new URL(gateway.url).host);
    expectRejection(await ask(gateway.url, { target, host: null }), [400], 'no Host');
    for (const headers of [['Host: a'], ['host: b'], ['hOST: a']]) {
      expectRejection(await ask(gateway.url, { target, host: 'a', headers }), [400], 'two Hosts');
      expectRejection(await ask(gateway.url, { target, host: 'a', headers, version: 'HTTP/1.0' }), [400], 'two Hosts');
    }
    expect(takeArrivals()).toEqual({ legacy: [], fresh: [] });
  });

  test('rejects one request of a pipeline in its place, and reads none after it', async () => {
    const [gateway] = gateways;
    if (!gateway) throw new Error('there is no gateway');
    const good = 'GET /v2/reserved_ips HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const bad of ['GET /v2/account HTTP/1.1\r\nHost: 1/host?\r\n\r\n', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n']) {
      const answers = await exchange(gateway.url, good + bad + good);
      expect(answers.map(({ status }) => status)).toEqual([200, 400]);
      expectRejection(answers[1] ?? { status: 0, headers: new Map(), body: null }, [400], bad);
      expect(takeArrivals().legacy.map(({ url }) => url)).toEqual(['/legacy/base/v2/reserved_ips']);
    }
  });
});

test('with all flags off, no Host brings an operator’s token past the gateway, or a customer to the new upstream', async () => {
  const { apiUrl, adminToken } = inject('environment');
  const [legacy, flagFile] = [await useUpstream('legacy'), await useFlagFile()];
  await setFlags(flagFile, 'all', { on: false });
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl, flagFile });
  const headers = [`Authorization: Bearer ${adminToken}`];
  for (const host of ['1/host?', '1/v2/reserved_ipv6?', 'ü.ü.ü.ü/host/?xx', 'a\\host?']) {
    for (const [method, target] of [
      ['GET', '/internal/v1/accounts'],
      ['POST', '/v2/reserved_ips'],
    ] as const) {
      const answer = await ask(gateway.url, { method, target, host: latin1(host), headers });
      expectRejection(answer, [400], `${method} ${target} ${host}`);
    }
  }
  expect(legacy.begun).toBe(0);
});

test('an upstream is never asked for what is outside the path of its URL, whoever calls it', async () => {
  const recording = await useUpstream('legacy');
  const timeouts = { connectMs: 2_000, answerMs: 2_000, bodyMs: 2_000 };
  const upstream = new Upstream('legacy', `${recording.url}/legacy`, timeouts);
  onTestFinished(() => upstream.close());
  const signal = new AbortController().signal;
  for (const target of [
    '/../secret',
    '/%2e%2e/secret',
    '/a/.%2E/..',
    '/..%2fsecret',
    '/..\\secret',
    '//',
    '/..;/secret',
    'x',
  ]) {
    const sending = upstream.send({ method: 'GET', target, headers: [], body: null, signal });
    await expect(sending, target).rejects.toBeInstanceOf(RequestRejectedError);
  }
  expect(recording.begun).toBe(0);
  const answer = await upstream.send({ method: 'GET', target: '/v2/x', headers: [], body: null, signal });
  expect(await text(answer.body)).toContain('legacy');
  expect(recording.last.url).toBe('/legacy/v2/x');
});

describe('the API', () => {
  test.each(HOSTILE_HOSTS)('answers 400 to the host %j', async (host) => {
    const { apiUrl } = inject('environment');
    for (const target of ['/v2/reserved_ips', '/internal/v1/accounts']) {
      const request = { target, host: latin1(host), headers: adminHeaders() };
      expectRejection(await ask(apiUrl, request), [400], JSON.stringify(request));
    }
  });

  test('shows /internal to nobody whose request line does not begin with it, in 600 spellings', async () => {
    const { apiUrl } = inject('environment');
    const { host } = new URL(apiUrl);
    const paths = ['/internal/v1/accounts', '/internal/v1/pools', '/v2/../internal/v1/accounts'];
    let shown = 0;
    for (const request of respelledRequests({ paths, host, count: 600, seed: 5 })) {
      const asked = { ...request, method: 'GET', headers: adminHeaders() };
      const [answer] = await exchange(apiUrl, bytesOf(asked));
      const what = JSON.stringify(asked);
      expect(answer?.status, what).toBeLessThan(500);
      // Where a filter in front lets nothing through that begins so, nothing of it may be seen.
      const isOpen = /^(?:http:\/\/[^/?]*)?\/internal\//i.test(request.target);
      if (answer?.status === 200 && !isOpen) expect(Object.keys(Object(answer.body)), what).not.toContain('accounts');
      if (answer?.status === 200 && isOpen) shown++;
    }
    expect(shown).toBeGreaterThan(0);
  });

  test('has nothing for others on the address of an audience, in 600 spellings', async () => {
    const dependencies = await useDependencies();
    const { fetch } = createApp(dependencies, ['customers']);
    const { server, port } = await startServer({ fetch, host: '127.0.0.1', port: 0 });
    onTestFinished(() => {
      server.close();
    });
    const paths = ['/internal/v1/accounts', '/host/v1/events', '/internal', '/host/v1/desired-state'];
    for (const request of respelledRequests({ paths, host: `127.0.0.1:${port}`, count: 600, seed: 9 })) {
      const [answer] = await exchange(`http://127.0.0.1:${port}`, bytesOf({ ...request, headers: adminHeaders() }));
      const isOpenPath = /openapi|healthz|v2/i.test(request.target + request.host);
      expect(isOpenPath ? [200, 400, 401, 404, 405] : [400, 404], JSON.stringify(request)).toContain(answer?.status);
    }
  });
});

test('the gateway’s inspection and the legacy services reject hostile hosts too', async () => {
  const gateway = await useGateway({
    legacyUrl: 'http://127.0.0.1:9',
    apiUrl: 'http://127.0.0.1:9',
    provider: allAt(0),
  });
  const { db } = await useDependencies();
  const apps = [createInspection(gateway.gateway), createServices({ db, latency: async () => {} })];
  for (const app of apps) {
    const { server, port } = await startServer({ fetch: app.fetch, host: '127.0.0.1', port: 0 });
    onTestFinished(() => {
      server.close();
    });
    for (const host of HOSTILE_HOSTS) {
      const answer = await ask(`http://127.0.0.1:${port}`, { target: '/session', host: latin1(host) });
      expectRejection(answer, [400], host);
    }
  }
});

/** Whether a request is one of the 18, by method and path as they arrived. */
function isCodePath(method: string, path: string): boolean {
  const [, , , ip, actions, id, ...more] = path.replace(/\/$/, '').split('/');
  if (more.length > 0 || (actions !== undefined && actions !== 'actions')) return false;
  if (method === 'GET' || method === 'HEAD') return true;
  if (method === 'DELETE') return ip !== undefined && actions === undefined;
  return method === 'POST' && id === undefined && (ip === undefined || actions !== undefined);
}

/** Flags that send everybody to the new upstream, or nobody. */
function allAt(percent: 0 | 100): InMemoryProvider {
  const flag = {
    variants: { new: true, legacy: false },
    defaultVariant: percent === 100 ? 'new' : 'legacy',
    disabled: false,
  };
  return new InMemoryProvider(Object.fromEntries(CODE_PATHS.map((codePath) => [codePath, { ...flag }])));
}
