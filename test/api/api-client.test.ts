import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { PROJECT_FOLDER } from '../../dev/environment/paths.ts';
import { freePort, listenOnLoopback } from '../../dev/environment/ports.ts';
import { Http } from '../../dev/kit/http.ts';
import { apiClientFiles, GENERATED_FOLDER } from '../../dev/tools/api-client-files.ts';
import { ApiError } from '../../platform/api-client/api-error.ts';
import { dataOf, openApiClient } from '../../platform/api-client/client.ts';
import { useHttpServer } from '../support/http-server.ts';
import { useWorld } from '../support/world.ts';

function admin() {
  const { apiUrl, adminToken } = inject('environment');
  return openApiClient({ baseUrl: apiUrl, token: adminToken });
}

async function failure(call: Promise<unknown>): Promise<ApiError> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof ApiError) return error;
  throw new Error(`no ApiError: ${error}`);
}

test('the types of the client are those of the documents: `npm run api-client` writes them', async () => {
  const { apiUrl, adminToken } = inject('environment');
  const http = new Http(apiUrl, adminToken);
  const forCustomers = (await http.get('/openapi.json')).text;
  const forOperators = (await http.get('/internal/openapi.json')).text;
  const files = await apiClientFiles({ forCustomers, forOperators });
  const folder = join(PROJECT_FOLDER, GENERATED_FOLDER);
  expect((await readdir(folder)).sort()).toEqual([...files.keys()].sort());
  for (const [name, text] of files) expect(await readFile(join(folder, name), 'utf8'), name).toBe(text);
});

describe('the client of the API', () => {
  test('calls the routes of operators, customers and hosts, and answers their data', async () => {
    const world = await useWorld({ agents: 0 });
    const account = await world.account();
    const { apiUrl } = inject('environment');
    const customer = openApiClient({ baseUrl: `${apiUrl}/`, token: account.http.token });
    const host = openApiClient({ baseUrl: apiUrl, token: await world.registerHost(`${world.region}-typed`) });

    const { accounts } = await dataOf(admin().GET('/internal/v1/accounts'));
    expect(accounts.map(({ id }) => id)).toContain(account.id);
    const reserving = await customer.POST('/v2/reserved_ips', { body: { region: world.region } });
    expect(reserving.response.status).toBe(202);
    const path = { ip: (await dataOf(reserving)).reserved_ip.ip };
    const { reserved_ip } = await dataOf(customer.GET('/v2/reserved_ips/{ip}', { params: { path } }));
    expect(reserved_ip.region.slug).toBe(world.region);
    const query = { per_page: 1 };
    const { meta } = await dataOf(customer.GET('/v2/reserved_ips', { params: { query } }));
    expect(meta.total).toBe(1);
    const releasing = await customer.DELETE('/v2/reserved_ips/{ip}', { params: { path } });
    expect(releasing).toMatchObject({ data: undefined, response: expect.objectContaining({ status: 204 }) });
    expect(await dataOf(host.GET('/host/v1/desired-state'))).toMatchObject({ attachments: [] });
  });

  test('throws what the API says, with the name of the request in its log', async () => {
    const body = { region: 'nowhere', cidr: '198.18.0.0/24' };
    const rejected = await failure(admin().POST('/internal/v1/pools', { body }));
    expect(rejected).toMatchObject({ status: 422, id: 'unprocessable_entity', retryAfterSeconds: null });
    expect(rejected.reason).toContain('There is no region nowhere.');
    expect(rejected.requestId).toMatch(/^\S{8,}$/);
    const params = { path: { name: 'hv 1' } };
    const missing = await failure(admin().GET('/internal/v1/hosts/{name}/tokens', { params }));
    expect(missing).toMatchObject({ status: 404, id: 'not_found' });
    expect(missing.message).toBe(
      `${missing.reason} (404) [GET /internal/v1/hosts/hv%201/tokens, request ${missing.requestId}]`,
    );
  });

  test('throws when to try again, where the API says it', async () => {
    const world = await useWorld({ agents: 0 });
    const { id } = await world.account();
    const token = await world.token(id, { requests_per_minute: 1 });
    const customer = openApiClient({ baseUrl: inject('environment').apiUrl, token });
    await dataOf(customer.GET('/v2/account'));
    const rejected = await failure(customer.GET('/v2/account'));
    expect(rejected).toMatchObject({ status: 429, id: 'too_many_requests' });
    expect(rejected.retryAfterSeconds).toBeGreaterThan(0);
  });

  test('throws the same class when there is no answer, or none of the API', async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const silent = createServer();
    const silentUrl = `http://127.0.0.1:${await listenOnLoopback(silent)}`;
    onTestFinished(() => void silent.close());
    const other = await useHttpServer((_, response) => {
      response.setHeader('content-type', 'text/html').end('<h1>Welcome</h1>');
    });
    const broken = await useHttpServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{');
      response.destroy();
    });
    const ask = (baseUrl: string) =>
      failure(openApiClient({ baseUrl, token: null, timeoutMs: 200 }).GET('/v2/account'));

    expect(await ask(nobody)).toMatchObject({
      status: null,
      message: expect.stringMatching(`^${nobody} does not answer: connect ECONNREFUSED`),
    });
    expect(await ask(silentUrl)).toMatchObject({ status: null, reason: expect.stringContaining('timeout') });
    expect(await ask(broken)).toMatchObject({ status: null, id: null });
    expect(await ask(other)).toMatchObject({ status: 200, id: null, reason: '<h1>Welcome</h1>' });
  });
});
