import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { expectAnswer } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { addressFromBytes } from '../../domain/address.ts';
import { useDatabase } from '../support/database.ts';
import { expectedError } from '../support/expected.ts';
import { FUTURE, useWorld, type World } from '../support/world.ts';

const poolSchema = z.object({
  id: z.int(),
  cidr: z.string(),
  region: z.string(),
  total: z.int(),
  free: z.int(),
  resting: z.int(),
  reserved: z.int(),
  assigned: z.int(),
  releasing: z.int(),
});

/** A /24 that no other test has: of the block for benchmarks, which no world cuts pools from. */
function newRange(): string {
  return `198.${18 + randomInt(2)}.${randomInt(256)}`;
}

function importPool(world: World, cidr: string, region = world.region) {
  return world.admin.post('/internal/v1/pools', { region, cidr });
}

async function poolOf(world: World, cidr = world.cidr) {
  const { pools } = expectAnswer(
    await world.admin.get('/internal/v1/pools'),
    200,
    z.object({ pools: z.array(poolSchema) }),
  );
  return pools.find((pool) => pool.cidr === cidr);
}

describe('importing a range', () => {
  test('leaves out its network and its broadcast address', async () => {
    const world = await useWorld({ agents: 0, prefixLength: 29 });
    const pool = await poolOf(world);
    expect(pool).toMatchObject({ region: world.region, total: 6, free: 6 });
    const rows = await useDatabase()
      .selectFrom('addresses')
      .select('address')
      .where('pool_id', '=', pool?.id ?? 0)
      .orderBy('address')
      .execute();
    const network = world.cidr.split('/')[0] ?? '';
    const last = Number(network.split('.')[3]);
    const prefix = network.split('.').slice(0, 3).join('.');
    expect(rows.map(({ address }) => addressFromBytes(address))).toEqual(
      [1, 2, 3, 4, 5, 6].map((offset) => `${prefix}.${last + offset}`),
    );
  });

  test('keeps both addresses of a /31 and the one of a /32, which have no network address', async () => {
    const world = await useWorld({ agents: 0 });
    expect(await poolOf(world, await world.importPool(FUTURE, 31))).toMatchObject({ total: 2 });
    expect(await poolOf(world, await world.importPool(FUTURE, 32))).toMatchObject({ total: 1 });
  });

  test('takes IPv6, in whatever spelling, without the routers’ anycast address', async () => {
    const world = await useWorld({ agents: 0 });
    const part = randomBytes(2).toString('hex').toUpperCase();
    const canonical = new URL(`http://[2001:db8:${part}::]`).hostname.slice(1, -1);
    expect(await importPool(world, `2001:DB8:${part}:0::/124`)).toMatchObject({
      status: 201,
      body: { pool: { cidr: `${canonical}/124`, region: world.region, addresses: 15 } },
    });
    expect(await importPool(world, `2001:db8:${part}::8/125`)).toMatchObject({ status: 409 });
  });

  test('rejects one that overlaps with another pool, of whichever region, and names that pool', async () => {
    const world = await useWorld({ agents: 0 });
    const elsewhere = await useWorld({ agents: 0 });
    const range = newRange();
    expect(await importPool(world, `${range}.64/26`)).toMatchObject({ status: 201 });

    for (const cidr of [`${range}.64/26`, `${range}.0/24`, `${range}.96/27`, `${range}.127/32`]) {
      const answer = await importPool(elsewhere, cidr);
      expect(answer.status, cidr).toBe(409);
      expect(answer.body).toEqual(
        expectedError('conflict', `${cidr} overlaps with the pool ${range}.64/26.`, answer.headers),
      );
    }
    expect(await importPool(elsewhere, `${range}.128/25`), 'a neighbour is no overlap').toMatchObject({ status: 201 });
  });

  test('lets one of several overlapping ones through when they come at once', async () => {
    const worlds = await Promise.all([useWorld({ agents: 0 }), useWorld({ agents: 0 })]);
    const range = newRange();
    const cidrs = [`${range}.0/24`, `${range}.0/25`, `${range}.0/26`, `${range}.0/27`];

    const answers = await Promise.all(cidrs.flatMap((cidr) => worlds.map((world) => importPool(world, cidr))));

    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409, 409, 409, 409]);
    const found = await Promise.all(cidrs.map((cidr) => poolOf(worlds[0] as World, cidr)));
    expect(found.filter((pool) => pool !== undefined)).toHaveLength(1);
  });

  test('rejects what is no range, says why, and imports nothing', async () => {
    const world = await useWorld({ agents: 0 });
    const range = newRange();
    const rejections: [cidr: unknown, message: RegExp][] = [
      [`${range}.1/24`, new RegExp(`has bits set behind its prefix; the range is ${range}.0/24`)],
      [`${range}.0/33`, /may be \/32 at most/],
      ['198.0.0.0/8', /must be \/16 or longer/],
      ['2001:db8::/64', /must be \/112 or longer/],
      ['2001:db8::/129', /may be \/128 at most/],
      [`${range}.0`, /not an address range/],
      [`${range}/24`, /not an address range/],
      [`${range}.0/`, /not an address range/],
      [`${range}.0/-1`, /not an address range/],
      [`${range}.0/24/24`, /not an address range/],
      [`${range}.256/32`, /not an address range/],
      [` ${range}.0/24`, /not an address range/],
      ['::ffff:198.18.0.0/120', /as an IPv4 range/],
      ['everything', /not an address range/],
      ['', /not an address range/],
      [24, /cidr/],
      [null, /cidr/],
    ];
    for (const [cidr, message] of rejections) {
      const answer = await world.admin.post('/internal/v1/pools', { region: world.region, cidr });
      expect(answer.status, String(cidr)).toBe(422);
      expect(answer.body).toEqual(
        expectedError('unprocessable_entity', expect.stringMatching(message), answer.headers),
      );
    }
    const { pools } = expectAnswer(
      await world.admin.get('/internal/v1/pools'),
      200,
      z.object({ pools: z.array(poolSchema) }),
    );
    expect(pools.filter(({ region }) => region === world.region)).toHaveLength(1);
  });

  test('rejects an unknown region, a missing field and a field that does not exist', async () => {
    const world = await useWorld({ agents: 0 });
    const cidr = `${newRange()}.0/24`;
    const bodies: [body: unknown, message: RegExp][] = [
      [{ region: 'nowhere', cidr }, /There is no region nowhere/],
      [{ cidr }, /region/],
      [{ region: world.region }, /cidr/],
      [{ region: world.region, cidr, dry_run: true }, /dry_run/],
      [[], /./],
      ['text', /./],
    ];
    for (const [body, message] of bodies) {
      const answer = await world.admin.post('/internal/v1/pools', body);
      expect(answer.status, JSON.stringify(body)).toBe(422);
      expect(answer.body).toMatchObject({ message: expect.stringMatching(message) });
    }
    expect(await world.admin.send('POST', '/internal/v1/pools', { rawBody: '{"region":' })).toMatchObject({
      status: 400,
      body: { id: 'bad_request' },
    });
    expect(await poolOf(world, cidr)).toBeUndefined();
  });
});

describe('the use of a pool', () => {
  test('counts each address in the state it is in, from reserved to free again', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1, prefixLength: 28 });
    const [host] = world.manualHosts;
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const nothing = { total: 14, free: 14, resting: 0, reserved: 0, assigned: 0, releasing: 0 };
    expect(await poolOf(world)).toMatchObject(nothing);

    const ip = await account.reserve(world.region);
    const idle = await account.reserve(world.region);
    expect(await poolOf(world)).toMatchObject({ ...nothing, free: 12, reserved: 2 });

    await account.assignBy(host, ip, droplet);
    expect(await poolOf(world)).toMatchObject({ ...nothing, free: 12, reserved: 1, assigned: 1 });

    await account.release(ip);
    expect(await poolOf(world)).toMatchObject({ ...nothing, free: 12, reserved: 1, releasing: 1 });

    await host?.confirm(ip, 'detach');
    await until('the address is in quarantine', async () => (await poolOf(world))?.resting === 1);
    await until('it was free again', async () => (await poolOf(world))?.free === 13);
    await account.release(idle);
    await until('all were free', async () => (await poolOf(world))?.free === 14);
    expect(await poolOf(world)).toMatchObject(nothing);
  });
});

describe('regions', () => {
  test('are made, renamed and listed by slug', async () => {
    const world = await useWorld({ agents: 0 });
    const path = `/internal/v1/regions/${world.region}`;
    expect((await world.admin.put(path, { name: '  Renamed  ' })).body).toEqual({
      region: { slug: world.region, name: 'Renamed' },
    });
    const schema = z.object({ regions: z.array(z.object({ slug: z.string(), name: z.string() })) });
    const { regions } = expectAnswer(await world.admin.get('/internal/v1/regions'), 200, schema);
    expect(regions).toContainEqual({ slug: world.region, name: 'Renamed' });
    const slugs = regions.map(({ slug }) => slug);
    expect(slugs).toEqual([...slugs].sort());
  });

  test('have slugs of small letters, digits and hyphens, and a name', async () => {
    const world = await useWorld({ agents: 0 });
    for (const slug of ['NYC3', '3nyc', 'nyc_3', 'a'.repeat(33)]) {
      expect(await world.admin.put(`/internal/v1/regions/${slug}`, { name: 'x' }), slug).toMatchObject({ status: 422 });
    }
    for (const escaped of ['nyc%203', '%E2%82%AC']) {
      const answer = await world.admin.put(`/internal/v1/regions/${escaped}`, { name: 'x' });
      expect(answer, `${escaped}: no path here has an escape in its fourth segment`).toMatchObject({ status: 404 });
    }
    for (const body of [{}, { name: '' }, { name: ' ' }, { name: 3 }, { name: 'x'.repeat(256) }, { title: 'x' }]) {
      expect(await world.admin.put(`/internal/v1/regions/${world.region}`, body)).toMatchObject({ status: 422 });
    }
  });
});
