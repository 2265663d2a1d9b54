import { describe, expect, inject, test } from 'vitest';
import { Http } from '../../dev/kit/http.ts';
import { useApp } from '../support/app.ts';

const processes = () =>
  [inject('environment').apiUrl, inject('environment').secondApiUrl].map((url) => new Http(url, null));

test('/healthz says to anyone that the process runs', async () => {
  for (const http of processes()) {
    const answer = await http.get('/healthz');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ status: 'ok' });
    expect(answer.headers.get('x-request-id')).toMatch(/./);
  }
});

describe('/readyz', () => {
  test('says to anyone that MySQL and Temporal answer', async () => {
    for (const http of processes()) {
      const answer = await http.get('/readyz');
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({ status: 'ok', checks: { mysql: 'ok', temporal: 'ok' } });
    }
  });

  test('is 503 when MySQL cannot be reached, and says what is wrong', async () => {
    const app = await useApp({ mysqlUrl: 'mysql://nobody@127.0.0.1:1/nothing' });

    const response = await app.request('/readyz');

    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({
      status: 'unavailable',
      checks: { mysql: expect.stringContaining('ECONNREFUSED'), temporal: 'ok' },
    });
    expect((await app.request('/healthz')).status, 'the process runs all the same').toBe(200);
  });

  test('is 200 within about a second when Temporal keeps silent, and says that it is degraded', async () => {
    const app = await useApp({ health: { temporal: () => new Promise(() => {}) } });
    const begin = performance.now();

    const response = await app.request('/readyz');

    expect(response.status).toBe(200);
    expect(performance.now() - begin).toBeLessThan(3_000);
    expect(await response.json()).toEqual({
      status: 'degraded',
      checks: { mysql: 'ok', temporal: 'no answer within 1000 ms' },
    });
  });
});
