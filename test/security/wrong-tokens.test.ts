import { randomBytes } from 'node:crypto';
import { Hono } from 'hono';
import { pino } from 'pino';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import type { ApiEnvironment } from '../../api/context.ts';
import { RemoteAddresses } from '../../api/fairness/remote-address.ts';
import { WrongTokens } from '../../api/fairness/wrong-tokens.ts';
import { type Answer, expectAnswer, Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { useDatabase } from '../support/database.ts';
import { useWatchedDatabase } from '../support/link.ts';
import { useApiProcess } from '../support/processes.ts';
import { useCustomer } from '../support/reserved.ts';

const ATTEMPTS = 10;
const SETTINGS = {
  API_WRONG_TOKENS_PER_MINUTE: String(ATTEMPTS),
  API_REFUSED_LINES_PER_SECOND: '5',
  // So that a test can play callers of several addresses.
  API_TRUSTED_PROXIES: '127.0.0.0/8',
};
const secret = () => randomBytes(32).toString('base64url');
const PATHS = {
  customer: { path: '/v2/account', wrong: () => `rip_${secret()}` },
  host: { path: '/host/v1/desired-state', wrong: () => `riph_${secret()}` },
  operator: { path: '/internal/v1/regions', wrong: () => `ripo_${secret()}` },
};

/** Asks as a caller from this address would, through a proxy. */
function from(address: string, url: string, token: string | null, path: string): Promise<Answer> {
  return new Http(url, token).get(path, { headers: { 'x-forwarded-for': address } });
}

async function useRightTokens() {
  const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
  return {
    customer: account.http.token ?? '',
    host: world.manualHosts[0]?.http.token ?? '',
    operator: inject('environment').adminToken,
    accountId: account.id,
    world,
  };
}

test.each(['customer', 'host', 'operator'] as const)(
  'an address that sends too many wrong tokens of a %s is answered with 429, and right ones from other addresses work on',
  async (kind) => {
    const { url } = await useApiProcess(SETTINGS);
    const right = await useRightTokens();
    const { path, wrong } = PATHS[kind];

    const statuses: number[] = [];
    for (let attempt = 0; attempt < ATTEMPTS + 5; attempt++) {
      statuses.push((await from('198.51.100.1', url, wrong(), path)).status);
    }
    expect(statuses.slice(0, ATTEMPTS)).toEqual(Array(ATTEMPTS).fill(401));
    expect(statuses.slice(ATTEMPTS + 1)).toEqual(Array(4).fill(429));
    const rejected = await from('198.51.100.1', url, wrong(), path);
    expect(Number(rejected.headers.get('retry-after'))).toBeGreaterThan(0);

    expect(await from('198.51.100.1', url, right[kind], path), 'not known to be right').toMatchObject(
      kind === 'host' ? { status: 200 } : { status: 429 },
    );
    expect(await from('198.51.100.2', url, right[kind], path)).toMatchObject({ status: 200 });
    expect(await from('2001:db8::1', url, right[kind], path)).toMatchObject({ status: 200 });
  },
);

test('a customer whose token was right before is served from an address that others send wrong ones from', async () => {
  const { url } = await useApiProcess(SETTINGS);
  const { customer } = await useRightTokens();
  expect(await from('198.51.100.1', url, customer, '/v2/account')).toMatchObject({ status: 200 });
  for (let attempt = 0; attempt < ATTEMPTS * 2; attempt++) {
    await from('198.51.100.1', url, PATHS.customer.wrong(), '/v2/account');
  }
  // For longer than a token is believed without another look.
  const end = performance.now() + 1_500;
  while (performance.now() < end) {
    expect(await from('198.51.100.1', url, customer, '/v2/account')).toMatchObject({ status: 200 });
  }
});

test('many wrong tokens at a time get no further than one after the other, and other spellings count too', async () => {
  const { url } = await useApiProcess(SETTINGS);
  const wrong = [
    PATHS.operator.wrong,
    () => 'nonsense',
    () => `${inject('environment').adminToken}x`,
    PATHS.customer.wrong,
  ];
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, number) =>
      from('198.51.100.1', url, wrong[number % wrong.length]?.() ?? '', '/internal/v1/regions'),
    ),
  );
  expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(ATTEMPTS);
  expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
});

test('an address of its own in a network of 64 bits is no new caller', async () => {
  const { url } = await useApiProcess(SETTINGS);
  const statuses: number[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS + 3; attempt++) {
    const { status } = await from(`2001:db8:1:2::${attempt}`, url, PATHS.operator.wrong(), '/internal/v1/regions');
    statuses.push(status);
  }
  expect(statuses.at(-1)).toBe(429);
});

test('a claim of another address is not believed of a peer that is no trusted proxy', async () => {
  const { url } = await useApiProcess({ ...SETTINGS, API_TRUSTED_PROXIES: '' });
  let last = 0;
  for (let attempt = 1; attempt <= ATTEMPTS + 3; attempt++) {
    last = (await from(`198.51.100.${attempt}`, url, PATHS.operator.wrong(), '/internal/v1/regions')).status;
  }
  expect(last).toBe(429);
});

test('wrong tokens cost the database at most one look each, and what cannot be a token none', async () => {
  const { mysqlUrl, looks } = await useWatchedDatabase(/from `\w*tokens`/);
  const { url } = await useApiProcess({ ...SETTINGS, MYSQL_URL: mysqlUrl, API_WRONG_TOKENS_PER_MINUTE: '1000' });
  const repeated = PATHS.customer.wrong();
  for (let number = 0; number < 200; number++) {
    for (const token of [repeated, 'nonsense', 'rip_short', `riph_${secret()}`, `rip_${secret()}${secret()}`]) {
      await from('198.51.100.1', url, token, '/v2/account');
    }
  }
  // The repeated one is looked for once; the three others are too short, of another kind and too long.
  expect(looks()).toBeGreaterThan(0);
  expect(looks()).toBeLessThanOrEqual(200);
});

test('a flood of rejected requests leaves few lines in the log, and one that counts the rest', async () => {
  const { url, program } = await useApiProcess({ ...SETTINGS, API_WRONG_TOKENS_PER_MINUTE: '3' });
  const reject = async () => {
    for (const path of ['/v2/account', '/internal/v1/regions', '/host/v1/events', `/v2/${'x'.repeat(5_000)}`]) {
      await from('198.51.100.1', url, 'nonsense', path);
    }
  };
  const begin = performance.now();
  for (let number = 0; number < 150; number++) await reject();
  const seconds = Math.ceil((performance.now() - begin) / 1_000) + 1;

  await until('the rest is counted', async () =>
    program.output.includes('more lines of this kind were left out of the log'),
  );
  const lines = program.output
    .split('\n')
    .filter((line) => /"msg":"request( rejected)?"/.test(line) && /"status":4/.test(line));
  // Five a second of each kind: requests and rejections by 401, 429 and 414.
  expect(lines.length).toBeLessThanOrEqual(seconds * 5 * 6);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1_000);
});

test('a path that is longer than any honest one is answered 414 before anything looks at it', async () => {
  const { url } = await useApiProcess(SETTINGS);
  const { customer } = await useRightTokens();
  for (const path of [
    `/v2/${'x'.repeat(2_100)}`,
    `/v2/${'x/'.repeat(1_050)}`,
    `/v2/reserved_ips/${'%20'.repeat(800)}`,
  ]) {
    const answer = await new Http(url, customer).get(path);
    expect(answer).toMatchObject({ status: 414, body: { id: 'uri_too_long' } });
    expect(answer.body).toMatchObject({ request_id: answer.headers.get('x-request-id') });
  }
  expect(await new Http(url, customer).get(`/v2/reserved_ips?x=${'y'.repeat(5_000)}`)).toMatchObject({ status: 200 });
});

test('operators see that wrong tokens were sent, and from where', async () => {
  const db = useDatabase();
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
  const wrongTokens = new WrongTokens<never>({
    ...{ db, logger, kind: 'operator', perMinute: 2 },
    addresses: new RemoteAddresses(['192.0.2.1']),
  });
  const app = new Hono<ApiEnvironment>().get('/', (c) => c.text(wrongTokens.failed(c).message));
  const remote = `198.51.100.${1 + ((randomBytes(1)[0] ?? 0) % 200)}`;
  const environment = { incoming: { socket: { remoteAddress: '192.0.2.1' } } };
  for (let attempt = 0; attempt < 5; attempt++) {
    await app.request('/', { headers: { 'x-forwarded-for': remote } }, environment);
  }
  await wrongTokens.report();
  await wrongTokens.report();

  expect(lines.filter((line) => line.includes('wrong tokens were sent'))).toHaveLength(1);
  const entries = expectAnswer(
    await new Http(inject('environment').apiUrl, inject('environment').adminToken).get(
      '/internal/v1/audit-log?subject=/internal/v1',
    ),
    200,
    z.object({ entries: z.array(z.object({ action: z.string(), outcome: z.string(), detail: z.string() })) }),
  ).entries;
  const detail = `5 within a minute, the last from ${remote}`;
  expect(entries.filter((entry) => entry.detail === detail)).toEqual([
    { action: 'wrong operator token', outcome: 'refused', detail },
  ]);
});
