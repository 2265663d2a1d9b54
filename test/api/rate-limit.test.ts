import { describe, expect, inject, test } from 'vitest';
import { SlidingWindow } from '../../api/middleware/sliding-window.ts';
import type { Account } from '../../dev/kit/account.ts';
import { type Answer, Http } from '../../dev/kit/http.ts';
import { expectedError } from '../support/expected.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import type { World } from '../support/world.ts';

async function limited(world: World, account: Account, minute: number, hour: number): Promise<Http> {
  const token = await world.token(account.id, { requests_per_minute: minute, requests_per_hour: hour });
  return new Http(inject('environment').apiUrl, token);
}

function limits({ headers }: Answer) {
  const number = (name: string) => {
    const text = headers.get(name);
    expect(text, name).toMatch(/^\d+$/);
    return Number(text);
  };
  return {
    limit: number('ratelimit-limit'),
    remaining: number('ratelimit-remaining'),
    reset: number('ratelimit-reset'),
  };
}

describe('a token', () => {
  test('reads on every answer what is left of its hour, on errors and on empty ones too', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 0, manualHosts: 1 });
    const http = await limited(world, account, 1_000, 50);

    const requests: [status: number, method: string, path: string, rawBody?: string][] = [
      [200, 'GET', '/v2/account'],
      [202, 'POST', '/v2/reserved_ips', JSON.stringify({ region: world.region })],
      [201, 'POST', `/v2/droplets/${droplet}/actions`, '{"type":"rename","name":"renamed"}'],
      [204, 'DELETE', `/v2/reserved_ips/${ip}`],
      [404, 'GET', '/v2/actions/1'],
      [404, 'GET', '/v2/no/such/path'],
      [405, 'PUT', '/v2/account'],
      [400, 'POST', '/v2/reserved_ips', '{'],
      [422, 'GET', '/v2/actions?page=0'],
      [413, 'POST', '/v2/reserved_ips', 'x'.repeat(70_000)],
      [200, 'HEAD', '/v2/account'],
    ];
    let left = 50;
    for (const [status, method, path, rawBody] of requests) {
      const answer = await http.send(method, path, rawBody === undefined ? {} : { rawBody });
      expect(answer.status, `${method} ${path}`).toBe(status);
      left -= 1;
      const { reset, ...counted } = limits(answer);
      expect(counted, `${method} ${path}`).toEqual({ limit: 50, remaining: left });
      const now = Date.now() / 1_000;
      expect(reset).toBeGreaterThan(now - 2);
      expect(reset).toBeLessThanOrEqual(now + 3_601);
      expect(answer.headers.get('retry-after')).toBeNull();
    }
  });

  test('is answered with 429 and when to come again once its minute is used up, and nothing is done', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const http = await limited(world, account, 3, 1_000);
    for (let request = 0; request < 3; request++) {
      expect(await http.post('/v2/reserved_ips', { region: world.region })).toMatchObject({ status: 202 });
    }

    for (let request = 0; request < 3; request++) {
      const answer = await http.post('/v2/reserved_ips', { region: world.region });
      expect(answer.status).toBe(429);
      expect(answer.body).toEqual(expectedError('too_many_requests', 'API rate limit exceeded.', answer.headers));
      const wait = Number(answer.headers.get('retry-after'));
      expect(Number.isInteger(wait)).toBe(true);
      expect(wait).toBeGreaterThanOrEqual(1);
      expect(wait).toBeLessThanOrEqual(120);
      expect(limits(answer)).toMatchObject({ limit: 1_000, remaining: 0 });
      expect(Math.abs(limits(answer).reset - (Date.now() / 1_000 + wait))).toBeLessThan(3);
    }
    expect(await account.http.get('/v2/reserved_ips')).toMatchObject({ body: { meta: { total: 3 } } });
  });

  test('is answered with 429 once its hour is used up, though its minute is not', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const http = await limited(world, account, 1_000, 2);
    for (const remaining of [1, 0]) {
      const answer = await http.get('/v2/account');
      expect(answer.status).toBe(200);
      expect(limits(answer)).toMatchObject({ limit: 2, remaining });
    }

    const answer = await http.get('/v2/account');

    expect(answer.status).toBe(429);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(60);
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(7_200);
    expect(limits(answer)).toMatchObject({ limit: 2, remaining: 0 });
  });

  test('is counted by itself: another one of the same account goes on', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const [one, other] = [await limited(world, account, 1, 100), await limited(world, account, 1, 100)];
    expect(await one.get('/v2/account')).toMatchObject({ status: 200 });
    expect(await one.get('/v2/account')).toMatchObject({ status: 429 });
    expect(await other.get('/v2/account')).toMatchObject({ status: 200 });
  });

  test('has, when nothing else is said, 250 requests a minute and 5000 an hour', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const answer = await world.admin.post(`/internal/v1/accounts/${account.id}/tokens`, { name: 'default' });
    const http = new Http(inject('environment').apiUrl, JSON.parse(answer.text).token);

    const answers = await Promise.all(Array.from({ length: 251 }, () => http.get('/v2/account')));

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(250);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
    expect(answers.map((one) => limits(one).limit)).toEqual(Array(251).fill(5_000));
  });
});

describe('a sliding window', () => {
  test('says exactly when the next request fits', () => {
    for (const limit of [1, 2, 3, 10, 250]) {
      for (const start of [0, 0.4, 17.3, 59.9]) {
        const window = new SlidingWindow(60);
        let at = 6_000 + start;
        for (let request = 0; request < 3 * limit; request++) {
          const wait = window.wait(at, limit);
          if (wait > 1.01) expect(window.used(at + wait - 0.01) + 1, `${limit} from ${start}`).toBeGreaterThan(limit);
          at += wait + 0.001;
          expect(window.wait(at, limit), `${limit} from ${start}`).toBe(0);
          window.add(at);
        }
      }
    }
  });
});
