import { expect, test } from 'vitest';
import { OperationInDoubtError } from '../../client/errors.ts';
import { useApp } from '../support/app.ts';
import { expectedError } from '../support/expected.ts';
import { useReserved } from '../support/reserved.ts';
import { useWorld } from '../support/world.ts';

const fail = (): never => {
  throw new Error('a detail that is nobody’s business');
};

test('a request that MySQL cannot serve is 503, and comes again after Retry-After', async () => {
  const world = await useWorld({ agents: 0 });
  const { token } = (await world.account()).http;
  const app = await useApp({ mysqlUrl: 'mysql://nobody@127.0.0.1:1/nothing' });

  for (const [method, path, body] of [
    ['GET', '/v2/account', undefined],
    ['GET', '/v2/reserved_ips', undefined],
    ['POST', '/v2/reserved_ips', JSON.stringify({ region: world.region })],
    ['DELETE', '/v2/reserved_ips/192.0.2.1', undefined],
  ] as const) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await app.request(path, { method, headers, ...(body !== undefined && { body }) });
    expect(response.status, `${method} ${path}`).toBe(503);
    expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(await response.json()).toEqual(
      expectedError('service_unavailable', expect.stringContaining('temporarily unavailable'), response.headers),
    );
  }
});

test('an outcome that is not known is 504, which does not claim that nothing happened', async () => {
  const { account, ip } = await useReserved({ agents: 0, droplets: 0 });
  const doubt = (): never => {
    throw new OperationInDoubtError('some operation', new Error('no answer'));
  };
  const app = await useApp({ admit: doubt });

  const headers = { authorization: `Bearer ${account.http.token}` };
  const response = await app.request(`/v2/reserved_ips/${ip}`, { method: 'DELETE', headers });

  expect(response.status).toBe(504);
  expect(response.headers.get('retry-after')).toBe('1');
  expect(await response.json()).toEqual(
    expectedError('gateway_timeout', expect.stringContaining('not known whether'), response.headers),
  );
});

test('a failure that nobody has thought of is 500, and tells its caller no details', async () => {
  const { world, account, ip } = await useReserved({ agents: 0, droplets: 0 });
  const app = await useApp({ admit: fail });

  for (const [method, path, body] of [
    ['POST', '/v2/reserved_ips', JSON.stringify({ region: world.region })],
    ['DELETE', `/v2/floating_ips/${ip}`, undefined],
  ] as const) {
    const headers = { authorization: `Bearer ${account.http.token}` };
    const response = await app.request(path, { method, headers, ...(body !== undefined && { body }) });
    expect(response.status, `${method} ${path}`).toBe(500);
    expect(await response.json()).toEqual(
      expectedError('server_error', 'Unexpected server-side error.', response.headers),
    );
  }
});
