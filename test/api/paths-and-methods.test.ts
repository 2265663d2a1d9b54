import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import { Http } from '../../dev/kit/http.ts';
import { expectedError } from '../support/expected.ts';
import { readListings } from '../support/listings.ts';
import { createWorld, type World } from '../support/world.ts';

const NOT_FOUND = 'The resource you requested could not be found.';

let world: World;
let account: Account;
let droplet: number;
let ip: string;
let before: unknown;

beforeAll(async () => {
  world = await createWorld({ agents: 0, manualHosts: 1 });
  account = await world.account();
  [droplet = 0] = await world.droplets(account, 1);
  ip = await account.reserve(world.region);
  before = await readListings(account);
});

afterEach(async () => {
  expect(await readListings(account)).toEqual(before);
});

afterAll(() => world.close());

describe('what cannot be the name of an address', () => {
  test.each([
    ['a word', 'nothing'],
    ['too few numbers', '100.64.1'],
    ['too many numbers', '100.64.1.1.1'],
    ['a number too large', '100.64.1.256'],
    ['a leading zero', '0100.64.1.1'],
    ['a hexadecimal number', '0x64.64.1.1'],
    ['one number', '1684013313'],
    ['a port', '100.64.1.1:80'],
    ['a range', '100.64.1.1%2F24'],
    ['white space', '100.64.1.1%20'],
    ['a zero byte', '100.64.1.1%00'],
    ['a line break', '100.64.1.1%0A'],
    ['an IPv6 address', '2001:db8::1'],
    ['an IPv4 address in an IPv6 one', '::ffff:100.64.1.1'],
    ['a star', '*'],
    ['a quote', "'%20OR%201=1--"],
    ['another script', '%D9%A1%D9%A0%D9%A0.64.1.1'],
    ['a broken escape', '%zz'],
    ['a lone percent sign', '%'],
    ['half a character', '%E0%A4'],
    ['an escape that is not UTF-8', '%ff%fe'],
    ['an escaped way up', '..%2f..%2faccount'],
    ['a long text', 'x'.repeat(1_900)],
  ])('is not found: %s', async (_, name) => {
    for (const path of ['/v2/reserved_ips', '/v2/floating_ips']) {
      for (const [method, end, body] of [
        ['GET', '', undefined],
        ['DELETE', '', undefined],
        ['GET', '/actions', undefined],
        ['GET', '/actions/1', undefined],
        ['POST', '/actions', { type: 'assign', droplet_id: droplet }],
        ['POST', '/actions', { type: 'unassign' }],
      ] as const) {
        const answer = await account.http.send(method, `${path}/${name}${end}`, { body });
        expect(answer.status, `${method} ${path}/${name}${end}`).toBe(404);
        expect(answer.body).toEqual(expectedError('not_found', NOT_FOUND, answer.headers));
      }
    }
  });
});

describe('what cannot be the number of anything', () => {
  test.each([
    '0',
    '-1',
    '1.5',
    '1e3',
    '+1',
    '0x1',
    'one',
    '%31%30%zz',
    '%00',
    '9007199254740993',
    '99999999999999999999',
    '1%20',
  ])('is not found: %s', async (number) => {
    for (const [method, path, body] of [
      ['GET', `/v2/actions/${number}`, undefined],
      ['GET', `/v2/droplets/${number}`, undefined],
      ['DELETE', `/v2/droplets/${number}`, undefined],
      ['GET', `/v2/droplets/${number}/actions`, undefined],
      ['POST', `/v2/droplets/${number}/actions`, { type: 'rename', name: 'renamed' }],
      ['GET', `/v2/droplets/${droplet}/actions/${number}`, undefined],
      ['GET', `/v2/reserved_ips/${ip}/actions/${number}`, undefined],
      ['GET', `/v2/floating_ips/${ip}/actions/${number}`, undefined],
    ] as const) {
      const answer = await account.http.send(method, path, { body });
      expect(answer.status, `${method} ${path}`).toBe(404);
      expect(answer.body).toEqual(expectedError('not_found', NOT_FOUND, answer.headers));
    }
  });
});

test.each([
  ['GET', '/v2'],
  ['GET', '/v2/'],
  ['GET', '/v2/reserved_ips_'],
  ['GET', '/v2/Reserved_IPs'],
  ['GET', '/v2/reserved_ipv6s'],
  ['GET', '/v2/reserved_ipv6/2001:db8::1/actions/1'],
  ['GET', '/V2/reserved_ips'],
  ['GET', '/v2//reserved_ips'],
  ['GET', '/v1/reserved_ips'],
  ['POST', '/v2/reserved_ips/actions/1/2/3'],
  ['DELETE', '/v2/floating_ips/100.64.1.1/actions/1/2'],
  ['GET', '/'],
  ['GET', '/favicon.ico'],
  ['GET', '/.env'],
])('%s %s is not found', async (method, path) => {
  const answer = await account.http.send(method, path);
  expect(answer.status).toBe(404);
  expect(answer.body).toEqual(expectedError('not_found', NOT_FOUND, answer.headers));
});

test('a method that a path does not have is 405, with those that it has', async () => {
  const lists: [string, string][] = [
    ['/v2/reserved_ips', 'GET, HEAD, POST'],
    ['/v2/floating_ips', 'GET, HEAD, POST'],
    ['/v2/reserved_ipv6', 'GET, HEAD, POST'],
    ['/v2/reserved_ipv6/2001:db8::1', 'GET, HEAD, DELETE'],
    ['/v2/reserved_ipv6/2001:db8::1/actions', 'POST'],
    ['/v2/droplets', 'GET, HEAD, POST'],
    [`/v2/reserved_ips/${ip}/actions`, 'GET, HEAD, POST'],
    [`/v2/floating_ips/${ip}/actions`, 'GET, HEAD, POST'],
    [`/v2/droplets/${droplet}/actions`, 'GET, HEAD, POST'],
    [`/v2/reserved_ips/${ip}`, 'GET, HEAD, DELETE'],
    [`/v2/floating_ips/${ip}`, 'GET, HEAD, DELETE'],
    [`/v2/droplets/${droplet}`, 'GET, HEAD, DELETE'],
    ['/v2/actions', 'GET, HEAD'],
    ['/v2/actions/1', 'GET, HEAD'],
    [`/v2/reserved_ips/${ip}/actions/1`, 'GET, HEAD'],
    ['/v2/account', 'GET, HEAD'],
    ['/healthz', 'GET, HEAD'],
    ['/openapi.json', 'GET, HEAD'],
  ];
  for (const [path, allowed] of lists) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      if (allowed.split(', ').includes(method)) continue;
      const answer = await account.http.send(method, path);
      expect(answer.status, `${method} ${path}`).toBe(405);
      expect(answer.headers.get('allow'), `${method} ${path}`).toBe(allowed);
      if (method === 'HEAD') continue;
      expect(answer.body).toEqual(
        expectedError('method_not_allowed', 'This method is not allowed here.', answer.headers),
      );
    }
  }
});

test('HEAD is answered as GET is, without the body', async () => {
  for (const [path, status] of [
    ['/v2/account', 200],
    ['/v2/reserved_ips?per_page=1', 200],
    [`/v2/reserved_ips/${ip}`, 200],
    ['/v2/reserved_ips/192.0.2.1', 404],
    ['/v2/reserved_ips?page=0', 422],
    ['/v2/nothing', 404],
    ['/healthz', 200],
  ] as const) {
    const answer = await account.http.send('HEAD', path);
    expect(answer, path).toMatchObject({ status, text: '' });
    expect(answer.headers.get('content-type'), path).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-request-id'), path).toMatch(/./);
  }
  const stranger = new Http(inject('environment').apiUrl, null);
  expect(await stranger.send('HEAD', '/v2/account')).toMatchObject({ status: 401, text: '' });
});
