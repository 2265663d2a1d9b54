import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { expectedError } from '../support/expected.ts';
import { useCustomer } from '../support/reserved.ts';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

describe('the endpoints for operators', () => {
  test('answer the admin token only, each of them', async () => {
    const { apiUrl, secondApiUrl, adminToken } = inject('environment');
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    const document = expectAnswer(
      await new Http(apiUrl, adminToken).get('/internal/openapi.json'),
      200,
      z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) }),
    );
    const endpoints = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/internal/'))
      .flatMap(([path, operations]) =>
        METHODS.filter((method) => method in operations).map((method) => ({ path, method })),
      );
    expect(endpoints.length).toBeGreaterThanOrEqual(15);
    const tokens = [null, 'nonsense', '', account.http.token, world.manualHosts[0]?.http.token ?? '', `${adminToken}x`];

    for (const { path, method } of endpoints) {
      const real = path
        .replace('{slug}', world.region)
        .replace('{name}', world.manualHosts[0]?.name ?? '')
        .replace('{tokenId}', '1')
        .replace('{id}', String(account.id));
      for (const token of tokens) {
        const http = new Http(secondApiUrl, token);
        const answer = await http.send(method.toUpperCase(), real, method === 'get' ? {} : { body: {} });
        expect(answer.status, `${method} ${real} with ${token}`).toBe(401);
        expect(answer.body).toEqual(expectedError('unauthorized', 'Unable to authenticate you.', answer.headers));
      }
    }

    expect(await account.http.get('/v2/account'), 'nothing was revoked').toMatchObject({ status: 200 });
    expect(await world.manualHosts[0]?.openCommands()).toEqual([]);
  });

  test('tell a stranger nothing of what exists', async () => {
    const stranger = new Http(inject('environment').apiUrl, 'nonsense');
    expect(await stranger.get('/internal/v1/no-such-thing')).toMatchObject({ status: 401 });
    expect(await stranger.get('/internal/v1/accounts/1/tokens/1')).toMatchObject({ status: 401 });
  });

  test('are closed to customers’ API by the admin token, too', async () => {
    const { apiUrl, adminToken } = inject('environment');
    expect(await new Http(apiUrl, adminToken).get('/v2/account')).toMatchObject({ status: 401 });
  });
});
