import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import type { Answer } from '../../dev/kit/http.ts';
import { expectedError } from '../support/expected.ts';
import { readListings } from '../support/listings.ts';
import { createWorld, type World } from '../support/world.ts';

/*
 * Whatever is sent, the answer is a v2 error that says what is wrong, and nothing has changed.
 */

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

/** Every route that reads a body, by the name of what it makes. */
const routes = () => ({
  'a reserved IP': '/v2/reserved_ips',
  'a floating IP': '/v2/floating_ips',
  'an action of a reserved IP': `/v2/reserved_ips/${ip}/actions`,
  'an action of a floating IP': `/v2/floating_ips/${ip}/actions`,
  'a droplet': '/v2/droplets',
  'an action of a droplet': `/v2/droplets/${droplet}/actions`,
});
const ROUTE_NAMES = [
  'a reserved IP',
  'a floating IP',
  'an action of a reserved IP',
  'an action of a floating IP',
  'a droplet',
  'an action of a droplet',
] as const;

function expectRejection(answer: Answer, status: 400 | 422, message: unknown, what: string): void {
  const id = status === 400 ? 'bad_request' : 'unprocessable_entity';
  expect(answer.status, `${what}: ${answer.text}`).toBe(status);
  expect(answer.body, what).toEqual(expectedError(id, message, answer.headers));
}

const bytes = (...parts: (string | number[])[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

describe.each(ROUTE_NAMES)('a POST that makes %s', (name) => {
  test.each<[string, string | Uint8Array<ArrayBuffer>]>([
    ['an empty one', ''],
    ['white space', ' \n'],
    ['an unfinished object', '{"type":"assign"'],
    ['more than one value', '{} {}'],
    ['single quotes', "{'region':'nyc3'}"],
    ['a bare word', 'undefined'],
    ['a form', 'region=nyc3&droplet_id=1'],
    ['a number that is none', '{"droplet_id":0x10}'],
    ['a raw control character', '{"region":"a\nb"}'],
    ['bytes that are not UTF-8', bytes('{"region":"', [0xff, 0xfe], '","tags":["', [0xc3, 0x28], '"]}')],
    ['half a surrogate pair as bytes', bytes('{"name":"', [0xed, 0xa0, 0x80], '"}')],
    ['UTF-16', bytes([...Buffer.from('{"region":"nyc3"}', 'utf16le')])],
    ['nothing but zero bytes', bytes([0, 0, 0, 0])],
  ])('is rejected with 400 when its body is not JSON: %s', async (what, rawBody) => {
    const answer = await account.http.send('POST', routes()[name], { rawBody });
    expectRejection(answer, 400, expect.stringMatching(/JSON|UTF-8/), what);
  });

  test.each([
    ['null', 'null'],
    ['a list', '[{"region":"nyc3"}]'],
    ['a text', '"assign"'],
    ['a number', '12'],
    ['a truth value', 'true'],
    ['a deep nest of lists', '['.repeat(20_000) + ']'.repeat(20_000)],
  ])('is rejected with 422 when its body is not an object: %s', async (what, rawBody) => {
    const answer = await account.http.send('POST', routes()[name], { rawBody });
    expectRejection(answer, 422, 'The request body must be an object.', what);
  });

  test('is rejected with 422 when what it needs is missing, or hidden in a prototype', async () => {
    for (const rawBody of [
      '{}',
      '{"__proto__":{"region":"nyc3","type":"unassign","droplet_id":1}}',
      '{"constructor":{"prototype":{"type":"unassign"}}}',
      `{"a":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    ]) {
      const answer = await account.http.send('POST', routes()[name], { rawBody });
      expectRejection(answer, 422, expect.stringMatching(/required|must be one of/), rawBody.slice(0, 60));
    }
  });

  test.each([
    ['of 64 KiB and more', 65_537],
    ['of 10 MB', 10_000_000],
  ])('is rejected with 413 when its body is one %s', async (_, length) => {
    const rawBody = `{"region":"${'x'.repeat(length)}"}`;
    const answer = await account.http.send('POST', routes()[name], { rawBody });
    expect(answer.status).toBe(413);
    expect(answer.body).toEqual(
      expectedError('payload_too_large', expect.stringContaining('65536 bytes'), answer.headers),
    );
  });

  test('is rejected with 413 when its body grows too large without saying so before', async () => {
    const chunk = new Uint8Array(64_000).fill(0x20);
    let left = 160;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (left-- > 0) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const response = await fetch(`${account.http.baseUrl}${routes()[name]}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.http.token}`, 'content-type': 'application/json' },
      body,
      duplex: 'half',
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ id: 'payload_too_large' });
  });

  test('is read as JSON whatever type its body claims', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json;',
      'APPLICATION/JSON',
      '',
    ]) {
      const answer = await account.http.send('POST', routes()[name], {
        rawBody: '[]',
        headers: { 'content-type': type },
      });
      expectRejection(answer, 422, 'The request body must be an object.', type);
    }
    const untyped = await fetch(`${account.http.baseUrl}${routes()[name]}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${account.http.token}` },
      body: bytes('[]'),
    });
    expect(untyped.status, 'without a Content-Type').toBe(422);
  });
});

test('a body that is too large costs its sender neither the answer nor the next request', async () => {
  const large = (length: number) => account.http.send('POST', '/v2/reserved_ips', { rawBody: 'x'.repeat(length) });
  async function lane(): Promise<number[]> {
    const statuses: number[] = [];
    for (const length of [70_000, 200_000, 2_000_000, 200_000]) {
      statuses.push((await large(length)).status, (await account.http.get('/v2/account')).status);
    }
    return statuses;
  }

  const statuses = await Promise.all(Array.from({ length: 8 }, lane));

  expect(statuses.flat()).toEqual(Array.from({ length: 32 }, () => [413, 200]).flat());
});

/** Values that are not what a field wants, as they stand in JSON. */
const NO_INTEGERS = [
  ['a numeric string', '"3164444"'],
  ['a text', '"many"'],
  ['a fraction', '1.5'],
  ['a negative number', '-1'],
  ['zero', '0'],
  ['a number beyond 2^53', '9007199254740993'],
  ['a number beyond 2^64', '18446744073709551616'],
  ['a number beyond all', '1e400'],
  ['a list', '[3164444]'],
  ['an object', '{"id":3164444}'],
  ['a truth value', 'true'],
] as const;
const NO_TEXTS = [
  ['a number', '1'],
  ['a list', '["a"]'],
  ['an object', '{"slug":"a"}'],
  ['a truth value', 'false'],
  ['an empty text', '""'],
  ['a long text', `"${'a'.repeat(300)}"`],
] as const;

describe('the field that is wrong is named', () => {
  test.each(NO_INTEGERS)('when droplet_id is %s', async (what, value) => {
    const message = expect.stringMatching(/^droplet_id must be /);
    for (const path of ['/v2/reserved_ips', '/v2/floating_ips']) {
      const answer = await account.http.send('POST', path, { rawBody: `{"droplet_id":${value}}` });
      expectRejection(answer, 422, message, what);
      const both = `{"region":"${world.region}","droplet_id":${value}}`;
      expectRejection(await account.http.send('POST', path, { rawBody: both }), 422, message, what);
      const rawBody = `{"type":"assign","droplet_id":${value}}`;
      expectRejection(await account.http.send('POST', `${path}/${ip}/actions`, { rawBody }), 422, message, what);
    }
  });

  test('when droplet_id is null or missing where it is needed', async () => {
    for (const body of [{ type: 'assign', droplet_id: null }, { type: 'assign' }]) {
      const answer = await account.http.post(`/v2/reserved_ips/${ip}/actions`, body);
      expectRejection(answer, 422, expect.stringMatching(/^droplet_id /), JSON.stringify(body));
    }
    const neither = await account.http.post('/v2/reserved_ips', { droplet_id: null, region: null });
    expectRejection(neither, 422, 'Either droplet_id or region is required.', 'neither');
  });

  test('when an integer is written as one that is too large for any droplet: there is none', async () => {
    for (const body of [{ droplet_id: Number.MAX_SAFE_INTEGER }, { droplet_id: 1 }]) {
      expect(await account.http.post('/v2/reserved_ips', body)).toMatchObject({ status: 404 });
    }
  });

  test.each(NO_TEXTS)('when region is %s', async (what, value) => {
    const droplet = `{"name":"a","size":"s-1vcpu-1gb","image":"debian-12-x64","region":${value}}`;
    for (const [path, rawBody] of [
      ['/v2/reserved_ips', `{"region":${value}}`],
      ['/v2/floating_ips', `{"region":${value}}`],
      ['/v2/droplets', droplet],
    ] as const) {
      const answer = await account.http.send('POST', path, { rawBody });
      expectRejection(answer, 422, expect.stringMatching(/^region /), what);
    }
  });

  test('when region is almost one', async () => {
    const { region } = world;
    for (const almost of [
      region.toUpperCase(),
      `${region} `,
      ` ${region}`,
      `${region}\u0000`,
      region.replace('r', 'ŕ'),
      'nowhere',
    ]) {
      for (const [path, body] of [
        ['/v2/reserved_ips', { region: almost }],
        ['/v2/droplets', { name: 'a', size: 's-1vcpu-1gb', image: 'debian-12-x64', region: almost }],
      ] as const) {
        const answer = await account.http.post(path, body);
        expectRejection(answer, 422, expect.stringMatching(/region is invalid or not available/), almost);
      }
    }
  });

  test('when project_id is not a UUID', async () => {
    for (const project_id of ['default', 7, '4e1bfbc3dc3e41f2a18f1b4d7ba71679', ['a']]) {
      const answer = await account.http.post('/v2/reserved_ips', { region: world.region, project_id });
      expectRejection(answer, 422, expect.stringMatching(/^project_id /), JSON.stringify(project_id));
    }
  });

  test('when type is none of an address’s actions', async () => {
    for (const type of ['"ASSIGN"', '"reserve"', '""', 'null', '1', '["assign"]', '{}', '" assign"']) {
      const rawBody = `{"type":${type},"droplet_id":${droplet}}`;
      const answer = await account.http.send('POST', `/v2/reserved_ips/${ip}/actions`, { rawBody });
      expectRejection(answer, 422, 'type must be one of: assign, unassign.', type);
    }
  });

  test('when something of a droplet is not as it must be', async () => {
    const good = { name: 'a', region: world.region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    const names = ['', 'a b', '-a', 'a-', 'é', 'a\u0000', 'a'.repeat(256), 5, null, ['a'], 'a\n'];
    for (const [field, values] of Object.entries({
      name: names,
      size: ['s-0vcpu', '', 1, null, 'S-1VCPU-1GB'],
      image: ['', null, 1.5, -1, 0, {}, true, 'a'.repeat(256)],
      tags: ['web', [1], [null], [''], { 0: 'web' }, Array(101).fill('a')],
    })) {
      for (const value of values) {
        const answer = await account.http.post('/v2/droplets', { ...good, [field]: value });
        expectRejection(
          answer,
          422,
          expect.stringMatching(new RegExp(`^${field}`)),
          `${field} ${JSON.stringify(value)}`,
        );
      }
    }
    for (const field of Object.keys(good)) {
      const answer = await account.http.post('/v2/droplets', { ...good, [field]: undefined });
      expectRejection(answer, 422, `${field} is required.`, field);
    }
    for (const name of names) {
      const answer = await account.http.post(`/v2/droplets/${droplet}/actions`, { type: 'rename', name });
      expectRejection(answer, 422, expect.stringMatching(/^name /), JSON.stringify(name));
    }
  });

  test('when the Idempotency-Key is empty or too long', async () => {
    for (const key of ['', 'k'.repeat(256)]) {
      const headers = { 'idempotency-key': key };
      const answer = await account.http.post('/v2/reserved_ips', { region: world.region }, { headers });
      expectRejection(answer, 422, 'Idempotency-Key must have 1 to 255 characters.', key);
    }
  });
});
