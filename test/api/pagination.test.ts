import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import type { Account } from '../../dev/kit/account.ts';
import { expectAnswer } from '../../dev/kit/http.ts';
import { expectedError } from '../support/expected.ts';
import { useCustomer } from '../support/reserved.ts';
import type { World } from '../support/world.ts';

const listSchema = z.object({
  reserved_ips: z.array(z.object({ ip: z.string() })),
  links: z.object({ pages: z.record(z.string(), z.string()).optional() }),
  meta: z.object({ total: z.int() }),
});

async function list(account: Account, url: string, headers: Record<string, string> = {}) {
  const path = url.startsWith('http') ? url.slice(new URL(url).origin.length) : url;
  return expectAnswer(await account.http.get(path, { headers }), 200, listSchema);
}

async function reserve(account: Account, world: World, count: number): Promise<string[]> {
  const ips: string[] = [];
  while (ips.length < count) ips.push(await account.reserve(world.region));
  return ips;
}

/** Every list there is, with the things that it lists made. */
async function lists(account: Account, world: World): Promise<string[]> {
  const [droplet = 0] = await world.droplets(account, 1);
  const ip = await account.reserve(world.region);
  await account.assign(ip, droplet);
  return [
    '/v2/reserved_ips',
    `/v2/reserved_ips/${ip}/actions`,
    '/v2/floating_ips',
    `/v2/floating_ips/${ip}/actions`,
    '/v2/actions',
    '/v2/droplets',
    `/v2/droplets/${droplet}/actions`,
  ];
}

describe('a list', () => {
  test('has empty links on a single page, full or not', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    await reserve(account, world, 3);

    for (const query of ['', '?per_page=3', '?per_page=200', '?page=1']) {
      expect(await list(account, `/v2/reserved_ips${query}`), query).toMatchObject({ links: {}, meta: { total: 3 } });
      expect((await list(account, `/v2/reserved_ips${query}`)).links, query).toEqual({});
    }
  });

  test('links to the next and last page from the first, to the first and previous from the last, to all in between', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    const ips = await reserve(account, world, 5);
    const url = (page: number) => `${inject('environment').apiUrl}/v2/reserved_ips?per_page=2&page=${page}`;

    const pages = await Promise.all([1, 2, 3].map((page) => list(account, url(page))));

    expect(pages.map(({ links }) => links.pages)).toEqual([
      { next: url(2), last: url(3) },
      { first: url(1), prev: url(1), next: url(3), last: url(3) },
      { first: url(1), prev: url(2) },
    ]);
    expect(pages.map(({ meta }) => meta.total)).toEqual([5, 5, 5]);
    expect(pages.flatMap(({ reserved_ips }) => reserved_ips.map(({ ip }) => ip))).toEqual(ips);
  });

  test('is whole for a client that follows its links', async () => {
    const { world, account } = await useCustomer({ agents: 0, prefixLength: 25 });
    const ips = await reserve(account, world, 23);

    const seen: string[] = [];
    for (let next: string | undefined = '/v2/reserved_ips'; next !== undefined; ) {
      const page = await list(account, next);
      expect(page.reserved_ips.length, 'the default is 20 a page').toBe(seen.length === 0 ? 20 : 3);
      seen.push(...page.reserved_ips.map(({ ip }) => ip));
      next = page.links.pages?.next;
    }

    expect(seen).toEqual(ips);
  });

  test('is empty beyond its end, with a way back', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    await reserve(account, world, 3);
    const url = (page: number) => `${inject('environment').apiUrl}/v2/reserved_ips?per_page=2&page=${page}`;

    for (const page of [3, 4, 1_000_000, 999_999_999]) {
      expect(await list(account, url(page)), `page ${page}`).toEqual({
        reserved_ips: [],
        links: { pages: { first: url(1), prev: url(2) } },
        meta: { total: 3 },
      });
    }
  });

  test('is cut into pages wherever there is one', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    await world.droplets(account, 1);
    await account.reserve(world.region);

    for (const path of await lists(account, world)) {
      const answer = await account.http.get(`${path}?per_page=1`);
      const { apiUrl } = inject('environment');
      expect(answer, path).toMatchObject({
        status: 200,
        body: { links: { pages: { next: `${apiUrl}${path}?per_page=1&page=2` } } },
      });
      const second = await account.http.get(`${path}?per_page=1&page=2`);
      expect(second, path).toMatchObject({
        status: 200,
        body: { links: { pages: { prev: `${apiUrl}${path}?per_page=1&page=1` } } },
      });
    }
  });

  test('rejects pages that cannot be with 422 and the name of the parameter', async () => {
    const { world, account } = await useCustomer({ agents: 1 });
    const numbers = ['0', '-1', '1.5', 'one', '', '1e2', '+1', '0x1', '%31%00', '9999999999', '123456789012345678901'];

    for (const path of await lists(account, world)) {
      for (const query of [
        ...numbers.flatMap((number) => [`page=${number}`, `per_page=${number}`]),
        'per_page=201',
        'page=1&page=2',
        'per_page=%zz',
      ]) {
        const answer = await account.http.get(`${path}?${query}`);
        const [name] = query.split('=');
        expect(answer.status, `${path}?${query}`).toBe(422);
        expect(answer.body).toEqual(
          expectedError('unprocessable_entity', expect.stringMatching(new RegExp(`^${name} `)), answer.headers),
        );
      }
      expect(await account.http.get(`${path}?per_page=200`), path).toMatchObject({ status: 200 });
      expect(await account.http.get(`${path}?per_page=1`), path).toMatchObject({ status: 200 });
    }
  });
});

describe('the links of a list', () => {
  test('are on the scheme and host by which the client came, and keep its other parameters', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    await reserve(account, world, 2);
    const { port } = new URL(inject('environment').apiUrl);

    const { links } = await list(account.at(`http://localhost:${port}`), '/v2/reserved_ips?filter=a%26b&per_page=1');

    expect(links.pages).toEqual({
      next: `http://localhost:${port}/v2/reserved_ips?filter=a%26b&per_page=1&page=2`,
      last: `http://localhost:${port}/v2/reserved_ips?filter=a%26b&per_page=1&page=2`,
    });
  });

  test('are on those that a proxy forwards', async () => {
    const { world, account } = await useCustomer({ agents: 0, manualHosts: 1 });
    await reserve(account, world, 2);
    const [droplet = 0] = await world.droplets(account, 1);
    const { host } = new URL(inject('environment').apiUrl);

    for (const [forwarded, origin] of [
      [{ 'x-forwarded-proto': 'https' }, `https://${host}`],
      [{ 'x-forwarded-host': 'api.example.com' }, 'http://api.example.com'],
      [{ 'x-forwarded-proto': 'HTTPS', 'x-forwarded-host': 'api.example.com:8443' }, 'https://api.example.com:8443'],
      [
        { 'x-forwarded-proto': 'https, http', 'x-forwarded-host': 'api.example.com, 10.0.0.1' },
        'https://api.example.com',
      ],
      [{ 'x-forwarded-host': '[2001:db8::1]:8080' }, 'http://[2001:db8::1]:8080'],
    ] as const) {
      const { links } = await list(account, '/v2/reserved_ips?per_page=1', forwarded);
      expect(links.pages?.next).toBe(`${origin}/v2/reserved_ips?per_page=1&page=2`);
      const reserved = await account.http.post('/v2/reserved_ips', { droplet_id: droplet }, { headers: forwarded });
      expect(reserved).toMatchObject({
        status: 202,
        body: { links: { droplets: [{ href: `${origin}/v2/droplets/${droplet}` }] } },
      });
      const { ip } = z.object({ reserved_ip: z.object({ ip: z.string() }) }).parse(reserved.body).reserved_ip;
      await world.manualHosts[0]?.confirm(ip, 'attach');
      await account.completed(await latestAction(account));
      await account.release(ip);
      await world.manualHosts[0]?.confirm(ip, 'detach');
    }
  });

  test('ignore a forwarded scheme or host that is none', async () => {
    const { world, account } = await useCustomer({ agents: 0 });
    await reserve(account, world, 2);

    for (const forwarded of [
      { 'x-forwarded-proto': 'javascript' },
      { 'x-forwarded-host': 'evil.example/path' },
      { 'x-forwarded-host': 'user@evil.example' },
      { 'x-forwarded-host': '"><script>' },
      { 'x-forwarded-host': ', evil.example' },
    ]) {
      const { links } = await list(account, '/v2/reserved_ips?per_page=1', forwarded);
      expect(links.pages?.next, JSON.stringify(forwarded)).toBe(
        `${inject('environment').apiUrl}/v2/reserved_ips?per_page=1&page=2`,
      );
    }
  });
});

async function latestAction(account: Account): Promise<{ id: number }> {
  const answer = await account.http.get('/v2/actions?per_page=1');
  const schema = z.object({ actions: z.tuple([z.object({ id: z.int() })]) });
  return expectAnswer(answer, 200, schema).actions[0];
}
