import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { type MysqlProxy, startMysqlProxy } from '../../dev/environment/dropping-proxy.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer } from '../support/reserved.ts';

const SHORT_MS = 500;
/** A request gives MySQL 1.5 s at most. */
const REJECTED_WITHIN_MS = 2_000;

let proxy: MysqlProxy;
let environment: PrivateEnvironment;

beforeAll(async () => {
  proxy = await startMysqlProxy(inject('environment').mysqlUrl);
  environment = await createPrivateEnvironment({ settings: { MYSQL_URL: proxy.mysqlUrl } });
});

afterAll(async () => {
  await environment.close();
  proxy.close();
});

/** An account at the API whose way to MySQL can be cut, and what it asks for. */
async function useRequests() {
  const { world, account } = await useCustomer({ agents: 0, apiUrl: environment.apiUrl });
  const body = { region: world.region };
  const requests = {
    list: () => account.http.get('/v2/reserved_ips'),
    reserve: () => account.http.post('/v2/reserved_ips', body),
    'reserve under a key': () =>
      account.http.post('/v2/reserved_ips', body, { headers: { 'idempotency-key': 'restart' } }),
  };
  return { account, requests };
}

test('requests that come while MySQL restarts wait for it, and are served', async () => {
  const { account, requests } = await useRequests();

  proxy.cut();
  const restarted = sleep(SHORT_MS).then(() => proxy.restore());
  const answers = await Promise.all(
    Object.entries(requests).map(async ([name, send]) => ({ name, ...(await send()) })),
  );
  await restarted;

  expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
  const { body } = await account.http.get('/v2/reserved_ips');
  expect(body, 'each reserve once').toMatchObject({ meta: { total: 2 } });
});

test('requests to a MySQL that stays away are rejected in time, and change nothing', async () => {
  const { account, requests } = await useRequests();

  proxy.cut();
  const answers = await Promise.all(
    Object.entries(requests).map(async ([name, send]) => {
      const begin = performance.now();
      const { status, headers } = await send();
      return { name, status, retryAfter: headers.get('retry-after'), ms: performance.now() - begin };
    }),
  );
  proxy.restore();

  for (const { name, status, retryAfter, ms } of answers) {
    expect({ status, retryAfter }, name).toEqual({ status: 503, retryAfter: '1' });
    expect(ms, name).toBeLessThan(REJECTED_WITHIN_MS);
  }
  expect((await account.http.get('/v2/reserved_ips')).body).toMatchObject({ meta: { total: 0 } });
});
