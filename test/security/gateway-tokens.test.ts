import { randomBytes } from 'node:crypto';
import { InMemoryProvider } from '@openfeature/server-sdk';
import { expect, inject, test } from 'vitest';
import { type Answer, Http } from '../../dev/kit/http.ts';
import { CODE_PATHS } from '../../edge/code-paths.ts';
import { type TestGatewayOptions, useGateway } from '../support/gateway.ts';
import { useWatchedDatabase } from '../support/link.ts';
import { useUpstream } from '../support/recording-upstream.ts';
import { useWorld } from '../support/world.ts';

/*
 * What tokens that nobody has cost at the gateway, which looks for them only to know the way.
 */

const ATTEMPTS = 10;
const wrong = () => `rip_${randomBytes(32).toString('base64url')}`;

/** A gateway behind a proxy that says who calls, so that a test can play callers of several addresses. */
async function useWatchedGateway(options: Partial<TestGatewayOptions> = {}) {
  const upstream = await useUpstream('upstream');
  const { mysqlUrl, looks } = await useWatchedDatabase(/from `tokens`/);
  const flag = { variants: { new: true, legacy: false }, defaultVariant: 'new', disabled: false };
  const provider = new InMemoryProvider(Object.fromEntries(CODE_PATHS.map((codePath) => [codePath, flag])));
  const urls = { legacyUrl: upstream.url, apiUrl: upstream.url, mysqlUrl };
  const gateway = await useGateway({ ...urls, provider, trustForwarded: true, ...options });
  const from = (address: string, token: string | null): Promise<Answer> =>
    new Http(gateway.url, token).get('/v2/reserved_ips', { headers: { 'x-forwarded-for': address } });
  return { upstream, gateway, looks, from };
}

test('a wrong token costs one look, what cannot be a token none, and an upstream answers both', async () => {
  const { upstream, gateway, looks, from } = await useWatchedGateway();
  upstream.respond = (_, response) => void response.writeHead(401).end();
  const repeated = wrong();
  for (let number = 0; number < 100; number++) {
    for (const token of [repeated, 'nonsense', 'rip_short', repeated.replace('rip_', 'riph_'), `${repeated}x`, null]) {
      expect((await from('198.51.100.1', token)).status).toBe(401);
    }
  }
  expect(looks()).toBe(1);
  expect(upstream.arrivals.length).toBe(600);
  expect(gateway.log()).toContain('"user":"anonymous"');
});

test('one wrong token in many requests at a time is one look', async () => {
  const { looks, from } = await useWatchedGateway();
  const token = wrong();
  await Promise.all(Array.from({ length: 50 }, () => from('198.51.100.1', token)));
  expect(looks()).toBe(1);
});

test('an address that sends too many wrong tokens is answered with 429 without a look, and right ones work on', async () => {
  const world = await useWorld({ agents: 0 });
  const [known, other] = [(await world.account()).http.token, (await world.account()).http.token];
  const { gateway, looks, from } = await useWatchedGateway({ wrongTokensPerMinute: ATTEMPTS });
  expect((await from('198.51.100.1', known)).status).toBe(200);
  const answers = await Promise.all(Array.from({ length: 60 }, () => from('198.51.100.1', wrong())));
  const rejected = answers.filter(({ status }) => status === 429);
  expect(answers.length - rejected.length).toBeLessThanOrEqual(ATTEMPTS);
  expect(looks()).toBeLessThanOrEqual(ATTEMPTS + 1);
  expect(await gateway.metric('edge_refused_tokens_total')).toBe(rejected.length);
  expect(rejected[0]).toMatchObject({ body: { id: 'too_many_requests', request_id: expect.any(String) } });
  expect(Number(rejected[0]?.headers.get('retry-after'))).toBeGreaterThan(0);

  const before = looks();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) await from('203.0.113.5, 198.51.100.1', wrong());
  expect(looks() - before).toBeLessThanOrEqual(1);
  expect((await from('198.51.100.1', known)).status).toBe(200);
  expect((await from('198.51.100.1', null)).status).toBe(200);
  expect((await from('198.51.100.2', other)).status).toBe(200);
});

test('a claim of another address is not believed of a peer that is no trusted proxy', async () => {
  const { from, looks } = await useWatchedGateway({ wrongTokensPerMinute: ATTEMPTS, trustForwarded: false });
  for (let attempt = 0; attempt < ATTEMPTS * 3; attempt++) await from(`198.51.100.${attempt}`, wrong());
  expect(looks()).toBeLessThanOrEqual(ATTEMPTS + 1);
});

test('with the API behind the gateway a wrong token is answered 401, as by the API alone', async () => {
  const { apiUrl } = inject('environment');
  const { from } = await useWatchedGateway({ apiUrl });
  expect(await from('198.51.100.1', wrong())).toMatchObject({ status: 401, body: { id: 'unauthorized' } });
  expect(await from('198.51.100.1', 'nonsense')).toMatchObject({ status: 401, body: { id: 'unauthorized' } });
});
