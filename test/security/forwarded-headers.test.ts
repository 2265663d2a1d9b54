import { InMemoryProvider } from '@openfeature/server-sdk';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../dev/kit/random.ts';
import { parseEdgeConfiguration } from '../../edge/settings.ts';
import { type TestGatewayOptions, useGateway } from '../support/gateway.ts';
import { ask } from '../support/raw-http.ts';
import { type RecordingUpstream, useUpstream } from '../support/recording-upstream.ts';

/*
 * What an upstream believes of where a request came from is said by the gateway, and by nobody else in any spelling.
 */

/** Names that some server or proxy believes. */
const BELIEVED_SOMEWHERE = [
  ...['Forwarded', 'X-Forwarded', 'X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Port', 'X-Forwarded-Proto'],
  ...[
    'X-Forwarded-Prefix',
    'X-Forwarded-Ssl',
    'X-Forwarded-Scheme',
    'X-Forwarded-Server',
    'X-Forwarded-By',
    'X-Forwarded-Path',
  ],
  ...[
    'X-Forwarded-Protocol',
    'X-Forwarded-Uri',
    'X-Forwarded-User',
    'X-Forwarded-Client-Cert',
    'X-Forward-For',
    'Forwarded-For',
  ],
  ...['X-Real-IP', 'X-Client-IP', 'X-Cluster-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'CF-Connecting-IPv6'],
  ...[
    'CF-Pseudo-IPv4',
    'Fastly-Client-IP',
    'Fly-Client-IP',
    'DO-Connecting-IP',
    'Client-IP',
    'X-Remote-IP',
    'X-Remote-Addr',
  ],
  ...[
    'Remote-Addr',
    'X-Originating-IP',
    'X-ProxyUser-IP',
    'WL-Proxy-Client-IP',
    'X-Azure-ClientIP',
    'X-Azure-SocketIP',
  ],
  ...[
    'X-Appengine-User-IP',
    'X-Envoy-External-Address',
    'X-Envoy-Original-Path',
    'X-Original-Forwarded-For',
    'X-Original-Host',
  ],
  ...[
    'X-Original-URL',
    'X-Rewrite-URL',
    'X-HTTP-Method',
    'X-HTTP-Method-Override',
    'X-Method-Override',
    'X-HTTP-DestinationURL',
  ],
  ...[
    'X-HTTP-Host-Override',
    'X-Host',
    'X-Scheme',
    'X-URL-Scheme',
    'X-Script-Name',
    'Front-End-Https',
    'X-SSL-Client-Cert',
  ],
  ...['SSL-Client-Cert', 'X-Client-Cert', 'Client-Cert', 'Remote-User', 'X-Remote-User', 'Proxy', 'X-Accel-Mapping'],
  ...['X-Sendfile-Type', 'X-Shadow', 'X-Shadow-Of', 'X-Shadowed', 'Z-Forwarded-For', 'X-Internal'],
  ...['X-Request-Uri', 'Request-Uri', 'Base-Url', 'X-Orig-Url', 'X-Server-Name', 'X-Port', 'X-Protocol'],
  ...['X-User', 'X-Auth-Request-User', 'X-Webauth-User', 'X-Goog-Authenticated-User-Email', 'X-Ms-Client-Principal'],
  ...['X-Amzn-Oidc-Data', 'X-Custom-Ip-Authorization', 'Cookie', 'Origin', 'X-Nobody-Knows'],
];

/** Names that servers which turn signs into underscores take for one that the gateway says or passes on. */
const ALIASES = [
  ...[
    'X_Forwarded_For',
    'X-Forwarded_For',
    'x_forwarded-prefix',
    'X_Request_Id',
    'X-Request_Id',
    'X_Shadow',
    'X_Real_IP',
  ],
  ...[
    'Idempotency_Key',
    'Content_Length',
    'Transfer_Encoding',
    'Content_Type',
    'X.Forwarded.For',
    'X~Real~IP',
    'X|Shadow',
  ],
  ...["X'Shadow", 'X!Forwarded!Host', 'Via_', 'Trace_Parent', 'Cookie_', '_Host', 'Host_'],
];

/** What customers' libraries send. */
const OWN = [
  ...['Authorization', 'Idempotency-Key', 'Content-Type', 'Content-Encoding', 'Accept', 'Accept-Encoding'],
  ...['Accept-Language', 'User-Agent', 'If-None-Match', 'traceparent', 'tracestate', 'baggage'],
];

async function useProxy(options: Partial<TestGatewayOptions> = {}) {
  const upstream = await useUpstream('upstream');
  const urls = { legacyUrl: upstream.url, apiUrl: upstream.url };
  const gateway = await useGateway({ ...urls, provider: new InMemoryProvider({}), ...options });
  const send = (headers: string[]) => ask(gateway.url, { target: '/v2/account', host: 'edge.example', headers });
  return { upstream, send };
}

/** The names that arrived, with all signs but letters and digits as hyphens. */
function namesOf({ last }: RecordingUpstream): string[] {
  const names = last.rawHeaders.filter((_, at) => at % 2 === 0);
  return names.map((name) => name.toLowerCase().replace(/[^a-z\d]/g, '-'));
}

/** Headers of every request that the gateway sends. */
const SAID = ['x-request-id', 'via', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'host', 'connection'];

describe.each([false, true])('with a proxy in front that is believed: %s,', (trustForwarded) => {
  const believed = trustForwarded
    ? ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto']
    : [];

  test.each([...BELIEVED_SOMEWHERE, ...ALIASES])('%s is not passed on', async (name) => {
    const { upstream, send } = await useProxy({ trustForwarded });
    for (const spelled of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect((await send([`${spelled}: claimed`])).status).toBe(200);
      const isBelieved = believed.includes(name.toLowerCase());
      const claims = upstream.last.rawHeaders.filter((text) => text.includes('claimed'));
      expect(claims.length, spelled).toBe(isBelieved ? 1 : 0);
      const more = namesOf(upstream).filter((one) => ![...SAID, ...(isBelieved ? believed : [])].includes(one));
      expect(more, spelled).toEqual([]);
    }
  });

  test('no name of random signs is passed on', async () => {
    const { upstream, send } = await useProxy({ trustForwarded });
    const random = seededRandom(3);
    for (let count = 0; count < 200; count++) {
      const name = random
        .from(BELIEVED_SOMEWHERE)
        .replace(/-/g, () => random.from(['-', '_', '.', '~', '|', '--', '']));
      if (believed.includes(name.toLowerCase())) continue;
      await send([`${name}: claimed`]);
      expect(upstream.last.rawHeaders, name).not.toContain('claimed');
    }
  });

  test('what customers’ libraries send is passed on as it is', async () => {
    const { upstream, send } = await useProxy({ trustForwarded });
    await send(OWN.map((name) => `${name}: x`));
    for (const name of OWN) expect(upstream.last.headers[name.toLowerCase()], name).toBe('x');
  });
});

test('what an installation names is passed on too, in that spelling alone', async () => {
  const { upstream, send } = await useProxy({ requestHeaders: ['cookie', 'x-tenant'] });
  await send(['Cookie: a=1', 'X-Tenant: one', 'X-Tenant: two', 'X_Tenant: three', 'X-Tenants: four']);
  expect(upstream.last.headers).toMatchObject({ cookie: 'a=1', 'x-tenant': 'one, two' });
  for (const value of ['three', 'four']) expect(upstream.last.rawHeaders).not.toContain(value);
});

test.each([
  'X-Forwarded-For',
  'x-forwarded-prefix',
  'Forwarded',
  'Host',
  'X-Request-Id',
  'via',
  'x_tenant',
  'a b',
  'te',
])('no installation can have %s passed on from clients', (name) => {
  const settings = {
    ...{ MYSQL_URL: 'mysql://localhost/x', LEGACY_URL: 'http://localhost', API_URL: 'http://localhost' },
    EDGE_FLAGS_FILE: 'flags.json',
  };
  const parse = (names: string) => parseEdgeConfiguration({ ...settings, EDGE_REQUEST_HEADERS: names });
  expect(() => parse(`cookie, ${name}`)).toThrow(/EDGE_REQUEST_HEADERS/);
  expect(parse('Cookie, X-Tenant ').EDGE_REQUEST_HEADERS).toEqual(['cookie', 'x-tenant']);
});

test('a client cannot have what the gateway says dropped, by naming it as of the hop', async () => {
  for (const trustForwarded of [false, true]) {
    const { upstream, send } = await useProxy({ trustForwarded });
    await send([
      'Connection: x-forwarded-for, x-forwarded-host, x-forwarded-proto, x-request-id',
      'X-Forwarded-Proto: https',
    ]);
    expect(upstream.last.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': 'edge.example',
      'x-forwarded-proto': trustForwarded ? 'https' : 'http',
      'x-request-id': expect.any(String),
    });
  }
});
