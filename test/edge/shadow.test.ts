import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { describe, expect, inject, test } from 'vitest';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { compareAnswers } from '../../edge/shadow/compare.ts';
import { setFlags, useFlagFile, useGateway } from '../support/gateway.ts';
import { type Respond, useUpstream } from '../support/recording-upstream.ts';
import { useReserved } from '../support/reserved.ts';

/** Two upstreams, and a gateway that serves from legacy and compares every read with the new one. */
async function useShadow(ignored: string[] = []) {
  const [legacy, fresh, flagFile] = await Promise.all([useUpstream('legacy'), useUpstream('new'), useFlagFile()]);
  await setFlags(flagFile, 'all', { percent: 0 });
  const shadow = { percent: 100, ignored };
  const gateway = await useGateway({ legacyUrl: legacy.url, apiUrl: fresh.url, flagFile, shadow });
  const compared = (outcome: string) => gateway.metric('edge_shadow_comparisons_total', { outcome });
  return {
    legacy,
    fresh,
    gateway,
    http: new Http(gateway.url, null),
    compared,
    kept: () => gateway.gateway.shadow.differences,
  };
}

const answering =
  (body: unknown, status = 200): Respond =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

test('a difference is counted, logged by its fields, and kept with what both said', async () => {
  const { legacy, fresh, gateway, http, compared, kept } = await useShadow();
  legacy.respond = answering({ reserved_ip: { ip: '192.0.2.1', locked: false } });
  fresh.respond = answering({ reserved_ip: { ip: '192.0.2.1', locked: true }, extra: 1 });
  const headers = { authorization: 'Bearer some-token', 'x-request-id': 'the-request' };
  const answer = await http.get('/v2/reserved_ips/192.0.2.1?a=b', { headers });
  expect(answer.body).toEqual({ reserved_ip: { ip: '192.0.2.1', locked: false } });
  await until('it was compared', async () => (await compared('different')) === 1);
  expect(kept()).toEqual([
    {
      at: expect.any(String),
      requestId: 'the-request',
      codePath: 'reserved_ips.show',
      path: '/v2/reserved_ips/192.0.2.1?a=b',
      primary: 'legacy',
      differences: [
        { field: 'reserved_ip.locked', primary: false, shadow: true },
        { field: 'extra', primary: undefined, shadow: 1 },
      ],
    },
  ]);
  expect(gateway.log()).toContain('"fields":["reserved_ip.locked","extra"]');
  expect(JSON.stringify(kept()) + gateway.log()).not.toContain('some-token');
  expect(fresh.last.headers).toMatchObject({ 'x-shadow': 'true', ...headers });
});

test('what differs in declared fields only, in order or in encoding, is equal', async () => {
  const { legacy, fresh, http, compared, kept } = await useShadow(['request_id', 'actions.*.region.sizes']);
  legacy.respond = answering({ actions: [{ id: 1, region: { slug: 'x', sizes: [1] } }], request_id: 'a' });
  const body = gzipSync('{"request_id":"b","actions":[{"region":{"sizes":[2],"slug":"x"},"id":1}]}');
  fresh.respond = (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
  await http.get('/v2/floating_ips/192.0.2.1/actions');
  await until('it was compared', async () => (await compared('equal')) === 1);
  expect(kept()).toEqual([]);
});

test.each([
  ['another status', { status: 404 }, { status: 200 }, [], ['status']],
  ['a longer list', { body: '{"a":[1]}' }, { body: '{"a":[1,2]}' }, [], ['a.1']],
  ['null in the place of an object', { body: '{"a":null}' }, { body: '{"a":{}}' }, [], ['a']],
  ['an array in the place of an object', { body: '{"a":[]}' }, { body: '{"a":{}}' }, [], ['a']],
  ['no JSON', { body: '<html>' }, { body: '{}' }, [], ['body']],
  ['a whole ignored way', { body: '{"a":[{"b":1,"c":1}]}' }, { body: '{"a":[{"b":2,"c":2}]}' }, ['a.*.b'], ['a.0.c']],
  ['a name at any depth', { body: '{"t":1,"a":{"t":1}}' }, { body: '{"t":2,"a":{"t":2}}' }, ['t'], []],
])('the comparison knows %s', (_, one, other, ignored, fields) => {
  const whole = { status: 200, body: '{}' };
  const found = compareAnswers({ ...whole, ...one }, { ...whole, ...other }, ignored);
  expect(found.map(({ field }) => field)).toEqual(fields);
});

describe('the customer’s answer', () => {
  test('does not wait for the other upstream, and does not see it fail', async () => {
    const { legacy, fresh, gateway, http, compared } = await useShadow();
    legacy.respond = answering({ reserved_ips: [] });
    let answerShadow = () => {};
    fresh.respond = (_, response) => {
      answerShadow = () => response.end('{}');
    };
    const startedAt = performance.now();
    expect(await http.get('/v2/reserved_ips')).toMatchObject({ status: 200, text: '{"reserved_ips":[]}' });
    expect(await compared('different')).toBe(0);
    await until('the other upstream was asked', async () => fresh.begun === 1);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    answerShadow();
    await until('it was compared', async () => (await compared('different')) === 1);

    fresh.respond = (request) => void request.socket.destroy();
    expect(await http.get('/v2/reserved_ips')).toMatchObject({ status: 200, text: '{"reserved_ips":[]}' });
    await until('it could not be compared', async () => (await compared('failed')) === 1);
    expect(await gateway.metric('edge_upstream_failures_total')).toBe(0);
  });

  test('is the only one to a change, and to HEAD', async () => {
    const { fresh, http } = await useShadow();
    await http.post('/v2/reserved_ips', { region: 'nyc3' });
    await http.delete('/v2/reserved_ips/192.0.2.1');
    await http.post('/v2/reserved_ips/192.0.2.1/actions', { type: 'unassign' });
    await http.send('HEAD', '/v2/reserved_ips');
    await http.get('/v2/account');
    await http.get('/v2/reserved_ips');
    await until('the read was compared', async () => fresh.begun > 0);
    expect(fresh.arrivals.map(({ method }) => method)).toEqual(['GET']);
  });
});

test('what is compared is bounded in number at a time, in size, and in what is kept', async () => {
  const { legacy, fresh, http, compared, kept } = await useShadow();
  const waiting: (() => void)[] = [];
  fresh.respond = (_, response) => void waiting.push(() => response.end('{}'));
  await Promise.all(Array.from({ length: 20 }, () => http.get('/v2/reserved_ips')));
  expect(await compared('busy')).toBe(4);
  await until('16 are waited for', async () => waiting.length === 16);
  for (const answer of waiting) answer();
  await until('they were compared', async () => (await compared('different')) === 16);

  legacy.respond = answering({ text: 'x'.repeat(300_000) });
  fresh.respond = answering({});
  expect((await http.get('/v2/reserved_ips')).text.length).toBe(300_011);
  await until('it was too large', async () => (await compared('too_large')) === 1);

  legacy.respond = answering(Object.fromEntries(Array.from({ length: 50 }, (_, at) => [at, 'x'.repeat(5_000)])));
  for (let count = 1; count <= 60; count++) {
    await http.get('/v2/reserved_ips');
    await until('it was compared', async () => (await compared('different')) === 16 + count);
  }
  expect(JSON.stringify(kept()).length).toBeLessThan(1_100_000);
  expect(kept().length).toBeLessThan(60);
  expect(kept()[0]?.differences.length).toBe(20);
});

test('two upstreams that are the same service differ in nothing', async () => {
  const { account, droplet, ip } = await useReserved({ agents: 1 });
  const { id } = await account.assign(ip, droplet);
  const flagFile = await useFlagFile();
  await setFlags(flagFile, 'all', { percent: 0 });
  await setFlags(flagFile, 'floating_ips', { allow: [String(account.id)] });
  const { apiUrl, secondApiUrl } = inject('environment');
  const shadow = { percent: 100, ignored: ['request_id'] };
  const gateway = await useGateway({ legacyUrl: secondApiUrl, apiUrl, flagFile, shadow });
  const http = account.http.at(gateway.url);
  const paths = ['', '?per_page=1', `/${ip}`, `/${ip}/actions`, `/${ip}/actions/${id}`, '/192.0.2.1', '?page=0'];
  for (const resourceName of ['reserved_ips', 'floating_ips']) {
    for (const path of paths) await http.get(`/v2/${resourceName}${path}`);
  }
  const equal = () => gateway.metric('edge_shadow_comparisons_total', { outcome: 'equal' });
  await until('all were compared', async () => (await equal()) === 2 * paths.length);
  expect(gateway.gateway.shadow.differences).toEqual([]);
});
