import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import type { Http } from '../../dev/kit/http.ts';
import { CODE_PATHS, type CodePath } from '../../edge/code-paths.ts';
import { changeFlags, setFlags, useFlagFile, useGateway } from '../support/gateway.ts';
import { useUpstream } from '../support/recording-upstream.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let account: Account;

beforeAll(async () => {
  world = await createWorld({ agents: 0 });
  account = await world.account();
});

afterAll(() => world.close());

type Request = [method: string, path: string, body?: string];

/** A request of each code path. */
function requestOf(codePath: CodePath): Request {
  const [resourceName = '', operation = ''] = codePath.split('.');
  const all = `/v2/${resourceName}`;
  const one = `${all}/192.0.2.1`;
  const requests = new Map<string, Request>([
    ['list', ['GET', `${all}?page=2&per_page=5`]],
    ['show', ['GET', one]],
    ['create_in_region', ['POST', all, '{"region":"nyc3"}']],
    ['create_for_droplet', ['POST', all, '{"droplet_id":3,"region":"nyc3"}']],
    ['delete', ['DELETE', one]],
    ['assign', ['POST', `${one}/actions`, '{"type":"assign","droplet_id":3}']],
    ['unassign', ['POST', `${one}/actions`, '{"type":"unassign"}']],
    ['list_actions', ['GET', `${one}/actions`]],
    ['show_action', ['GET', `${one}/actions/36805022`]],
  ]);
  const request = requests.get(operation);
  if (!request) throw new Error(`no request for ${codePath}`);
  return request;
}

/** Both upstreams, and a gateway at which the account's requests on these paths go to the new one. */
async function useUpstreams(newPaths: string[]) {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  await setFlags(flagFile, 'all', {});
  for (const path of newPaths) await setFlags(flagFile, path, { allow: [String(account.id)] });
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, flagFile });
  return { legacy, fresh, flagFile, gateway, http: account.http.at(gateway.url) };
}

/** Which upstream has served a request. */
async function servedBy(http: Http, [method, path, rawBody]: Request): Promise<unknown> {
  const { status, body } = await http.send(method, path, rawBody === undefined ? {} : { rawBody });
  expect(status).toBe(200);
  return body;
}

describe('a flag', () => {
  test('moves its own code path and none of the other 17', async () => {
    const { gateway, http, flagFile } = await useUpstreams([]);
    for (const codePath of CODE_PATHS) {
      await changeFlags(gateway, flagFile, codePath, { percent: 100 });
      const served = await Promise.all(CODE_PATHS.map((other) => servedBy(http, requestOf(other))));
      const moved = CODE_PATHS.filter((_, at) => JSON.stringify(served[at]) === '{"served_by":"new"}');
      expect(moved).toEqual([codePath]);
      await changeFlags(gateway, flagFile, codePath, { percent: 0 });
    }
    expect(await gateway.metric('edge_requests_total', { code_path: 'floating_ips.assign', upstream: 'new' })).toBe(1);
    expect(await gateway.metric('edge_requests_total', { upstream: 'legacy' })).toBe(18 * 17);
    expect(await gateway.metric('edge_request_duration_seconds_count', { upstream: 'new' })).toBe(18);
  });

  test('is found as the API finds its routes: HEAD, a slash at the end, escapes, any name of an address', async () => {
    const { legacy, fresh, http } = await useUpstreams(['show', 'assign']);
    for (const [path, routed] of [
      ['/v2/reserved_ips/192.0.2.1/', '/v2/reserved_ips/192.0.2.1/'],
      ['/v2/reserved%5Fips/192%2E0%2E2%2E1', '/v2/reserved_ips/192.0.2.1'],
      ['/v2/floating_ips/nothing?a=%20', '/v2/floating_ips/nothing?a=%20'],
    ] as const) {
      expect(await servedBy(http, ['GET', path])).toEqual({ served_by: 'new' });
      expect(fresh.last.url).toBe(routed);
    }
    expect(await http.send('HEAD', '/v2/reserved_ips/192.0.2.1')).toMatchObject({ status: 200, text: '' });
    expect(fresh.last.method).toBe('HEAD');
    await servedBy(http, ['POST', '/v2/reserved_ips/192.0.2.1/actions/', '{"type":"assign","droplet_id":1}']);
    expect([fresh.arrivals.length, legacy.arrivals.length]).toEqual([5, 0]);
  });

  test('is asked for the account of the token, whichever token it is', async () => {
    const { fresh, http, gateway } = await useUpstreams(['list']);
    const [second, stranger] = [await world.token(account.id), await world.account()];
    for (const [token, expected] of [
      [account.http.token, 'new'],
      [second, 'new'],
      [stranger.http.token, 'legacy'],
      ['unknown', 'legacy'],
    ]) {
      const answer = await fetch(`${gateway.url}/v2/reserved_ips`, { headers: { authorization: `bearer  ${token}` } });
      expect(await answer.json(), String(token)).toEqual({ served_by: expected });
    }
    expect(await servedBy(http, ['GET', '/v2/reserved_ips'])).toEqual({ served_by: 'new' });
    expect(fresh.arrivals.length).toBe(3);
  });
});

describe('a body that decides the code path', () => {
  test.each([
    [
      'with a key that is there twice, of which the last counts',
      '{"type":"assign","droplet_id":1,"type":"unassign"}',
      'unassign',
    ],
    ['as dots clients send it', '{"type":"assign","droplet_id":1,"type":"assign"}', 'assign'],
    ['with a byte order mark and white space', '\ufeff \r\n{ "type" : "assign" }\n', 'assign'],
    ['with what nobody knows', '{"type":"unassign","x":[1,{"type":"assign"}]}', 'unassign'],
  ])('%s, arrives byte for byte', async (_, body, name) => {
    const { fresh, legacy, http } = await useUpstreams([`reserved_ips.${name}`]);
    expect(await servedBy(http, ['POST', '/v2/reserved_ips/192.0.2.1/actions', body])).toEqual({ served_by: 'new' });
    expect(fresh.last.body.toString()).toBe(body);
    expect(legacy.begun).toBe(0);
  });

  test.each([
    ['{"droplet_id":0,"region":"nyc3"}', 'create_in_region'],
    ['{"droplet_id":null,"region":"nyc3"}', 'create_in_region'],
    ['{"region":"x","droplet_id":3}', 'create_for_droplet'],
    ['{"droplet_id":"3"}', 'create_for_droplet'],
  ])('%s is %s', async (body, name) => {
    const { http } = await useUpstreams([`floating_ips.${name}`]);
    expect(await servedBy(http, ['POST', '/v2/floating_ips', body])).toEqual({ served_by: 'new' });
  });

  describe.each([
    ['/v2/reserved_ips/192.0.2.1/actions', 'assign', 'unassign', '"type":"assign"'],
    ['/v2/floating_ips', 'create_in_region', 'create_for_droplet', '"region":"nyc3"'],
  ])('of a POST to %s', (path, one, other, field) => {
    const pair = field.replaceAll('"', '').replace(':', '=');
    test.each([
      ['no JSON', Buffer.from(`{${field}`)],
      ['no object', Buffer.from(`[{${field}}]`)],
      ['followed by something', Buffer.from(`{${field}}}`)],
      ['a form', Buffer.from(pair)],
      ['compressed', gzipSync(`{${field}}`)],
      ['written in capitals', Buffer.from(`{${field}}`.toUpperCase())],
      ['about nothing known', Buffer.from('{"type":"destroy"}')],
      ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
      ['empty', Buffer.alloc(0)],
    ])('goes, whole, to the new upstream when it is %s only if all that it may mean does', async (_, body) => {
      const { legacy, fresh, gateway, flagFile, http } = await useUpstreams([one]);
      const send = () => http.send('POST', path, { rawBody: new Uint8Array(body) });
      expect((await send()).body).toEqual({ served_by: 'legacy' });
      expect(legacy.last.body.equals(body)).toBe(true);
      await changeFlags(gateway, flagFile, other, { percent: 100 });
      expect((await send()).body).toEqual({ served_by: 'new' });
      expect(fresh.last.body.equals(body)).toBe(true);
      expect(legacy.begun).toBe(1);
    });
  });

  test('may come in pieces without a length', async () => {
    const { fresh, http } = await useUpstreams(['all']);
    const body = JSON.stringify({ type: 'unassign', x: 'x'.repeat(10) });
    const response = await fetch(`${http.baseUrl}/v2/reserved_ips/192.0.2.1/actions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${http.token}` },
      body: ReadableStream.from(body.match(/.{1,10}/g) ?? []).pipeThrough(new TextEncoderStream()),
      duplex: 'half',
    });
    expect(response.status).toBe(200);
    expect(fresh.last.body.toString()).toBe(body);
    expect(fresh.last.headers['transfer-encoding']).toBe('chunked');
  });
});

describe('what is none of the 18', () => {
  test('goes by its rule, whatever the flags say', async () => {
    const { http } = await useUpstreams(['all']);
    for (const [request, expected] of [
      [['GET', '/v2/droplets'], 'legacy'],
      [['GET', '/v2/account'], 'legacy'],
      [['GET', '/v2/actions/1'], 'legacy'],
      [['GET', '/v2/reserved'], 'legacy'],
      [['GET', '/v1/reserved_ips'], 'legacy'],
      [['GET', '/anything/else'], 'legacy'],
      [['GET', '/v2/reserved_ipv6'], 'new'],
      [['POST', '/v2/reserved_ipv6', '{"region_slug":"nyc3"}'], 'new'],
      [['DELETE', '/v2/reserved_ipv6/2001%3Adb8%3A%3A1'], 'new'],
      [['POST', '/v2/reserved_ipv6/2001:db8::1/actions', '{"type":"unassign"}'], 'new'],
      [['GET', '/host/v1/events?after=1'], 'new'],
      [['GET', '/openapi.json'], 'new'],
    ] as [Request, string][]) {
      expect(await servedBy(http, request), request.join(' ')).toEqual({ served_by: expected });
    }
  });

  test.each<Request>([
    ['PUT', '/v2/reserved_ips'],
    ['DELETE', '/v2/reserved_ips'],
    ['GET', '/v2/reserved_ips_'],
    ['GET', '/v2/reserved_ips.json'],
    ['GET', '/v2/Reserved_IPs.json'],
    ['POST', '/v2/reserved_ips.json', '{"region":"nyc3"}'],
    ['PATCH', '/v2/reserved_ips/192.0.2.1'],
    ['POST', '/v2/reserved_ips/192.0.2.1/actions.json', '{"type":"assign"}'],
    ['POST', '/v2/reserved_ips/192.0.2.1/actions/7', '{"type":"assign"}'],
    ['GET', '/v2/reserved_ips/192.0.2.1/actions/7/x'],
  ])(
    'but looks like one of a resource name, as %s %s does, goes to the new upstream when all of that name do',
    async (...request) => {
      const { http } = await useUpstreams(['reserved_ips']);
      expect(await servedBy(http, request)).toEqual({ served_by: 'new' });
      const others = CODE_PATHS.filter((codePath) => codePath !== 'reserved_ips.show_action');
      const { http: partly } = await useUpstreams(others);
      expect(await servedBy(partly, request)).toEqual({ served_by: 'legacy' });
    },
  );

  test('reaches no upstream when it is for operators only, however it is written', async () => {
    const { legacy, fresh, http } = await useUpstreams(['all']);
    for (const path of ['/internal/v1/accounts', '/internal', '/%69nternal/v1/hosts', '/v2/../internal/v1/hosts']) {
      const answer = await http.get(path);
      expect(answer.status, path).toBe(404);
      expect(answer.body).toMatchObject({ id: 'not_found', request_id: answer.headers.get('x-request-id') });
    }
    expect([legacy.begun, fresh.begun]).toEqual([0, 0]);
    expect(await http.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });
});
