import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createReservedIpClient } from '../../client/index.ts';
import type { Database } from '../../db/database.ts';
import { type Account, readAddress, readReserved } from '../../dev/kit/account.ts';
import { type Answer, expectAnswer } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { insertAction, reserveRow } from '../../dev/legacy/monolith/writes.ts';
import { addressToBytes } from '../../domain/address.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useWorld, type World, type WorldOptions } from '../support/world.ts';

/*
 * Nobody takes a pool from the others: over an API and a worker whose quarantine no test outlives, and whose shares always
 * bind. Time passes by setting back when a quarantine ends.
 */

const QUARANTINE_TIME_SECONDS = 300;
const COOLDOWN_ALLOWANCE = 10;

const poolsSchema = z.object({
  pools: z.array(
    z.object({ cidr: z.string(), free: z.int(), resting: z.int(), reserved: z.int(), releasing: z.int() }),
  ),
});
const entriesSchema = z.object({ entries: z.array(z.object({ outcome: z.string(), detail: z.string().nullable() })) });

let environment: PrivateEnvironment;
let db: Database;
beforeAll(async () => {
  environment = await createPrivateEnvironment({
    worker: true,
    settings: {
      QUARANTINE_SECONDS: String(QUARANTINE_TIME_SECONDS),
      COOLDOWN_ALLOWANCE: String(COOLDOWN_ALLOWANCE),
      POOL_SHARE_HELD_PERCENT: '50',
      POOL_SHARE_PER_HOUR_PERCENT: '25',
      POOL_SHARE_MINIMUM: '4',
      POOL_SHARE_BINDS_BELOW_FREE_PERCENT: '100',
    },
  });
  ({ db } = environment);
  return environment.close;
});

const useRegion = (options: WorldOptions = {}) => useWorld({ agents: 0, apiUrl: environment.apiUrl, ...options });

async function poolOf(world: World) {
  const { pools } = expectAnswer(await world.admin.get('/internal/v1/pools'), 200, poolsSchema);
  const pool = pools.find(({ cidr }) => cidr === world.cidr);
  if (!pool) throw new Error(`there is no pool ${world.cidr}`);
  return pool;
}

const reserve = (account: Account, world: World) => account.http.post('/v2/reserved_ips', { region: world.region });

function reserveIpv6(account: Account, world: World): Promise<Answer> {
  return account.http.post('/v2/reserved_ipv6', { region_slug: world.region });
}

const IN_QUARANTINE = {
  status: 422,
  body: {
    id: 'unprocessable_entity',
    message:
      'Too many reserved IPs that your account deleted in this region are still in cooldown. Try again in a few minutes.',
  },
};
const SHARE_USED_UP = {
  status: 422,
  body: {
    id: 'unprocessable_entity',
    message: 'Your account has used up its share of the reserved IPs in this region. Try again later.',
  },
};

/** Reserves an address for a droplet, has it attached, and releases it: so it is in quarantine. Answers the rejection. */
async function useUp(account: Account, dropletId: number): Promise<Answer | null> {
  const answer = await account.http.post('/v2/reserved_ips', { droplet_id: dropletId });
  if (answer.status !== 202) return answer;
  const { ip, actionId } = readReserved(answer);
  await account.completed({ id: actionId });
  await account.release(ip);
  return null;
}

/** Waits until no host has anything left to detach. */
function allDetached(world: World) {
  return until('every host had let its addresses go', async () => (await poolOf(world)).releasing === 0);
}

/** What an account released has that much less of its quarantine to go. */
async function letPass(account: Account, seconds: number): Promise<void> {
  const released = await db
    .selectFrom('addresses')
    .select(['id', 'available_at'])
    .where('released_by', '=', account.id)
    .execute();
  for (const { id, available_at } of released) {
    const available = new Date(available_at.getTime() - seconds * 1_000);
    await db.updateTable('addresses').set({ available_at: available }).where('id', '=', id).execute();
  }
}

const limits = (world: World, account: Account, body: Record<string, unknown>) =>
  world.admin.send('PATCH', `/internal/v1/accounts/${account.id}`, { body });

describe('an account that reserves and deletes in a loop', () => {
  test('leaves every address to others, for whom there is one all the time', async () => {
    const world = await useRegion({ prefixLength: 27 });
    const [looping, other] = [await world.account({ reservedIpLimit: 3 }), await world.account()];
    let rounds = 0;
    const loop = async (account: Account) => {
      const statuses: number[] = [];
      while (rounds < 150) {
        rounds++;
        const answer = await reserve(account, world);
        statuses.push(answer.status);
        if (answer.status === 202) await account.release(readAddress(answer));
      }
      return statuses;
    };

    const [others = [], ...looped] = await Promise.all([other, looping, looping, looping].map(loop));

    expect(others.length).toBeGreaterThan(10);
    expect(new Set(others)).toEqual(new Set([202]));
    expect(new Set(looped.flat())).toEqual(new Set([202]));
    expect(await poolOf(world)).toMatchObject({ free: 30, resting: 0, reserved: 0, releasing: 0 });
  });

  test('gets one and the same address again and again, so it cannot look for one that it wants', async () => {
    const world = await useRegion();
    const account = await world.account({ reservedIpLimit: 3 });
    const seen = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const ip = await account.reserve(world.region);
      seen.add(ip);
      await account.release(ip);
    }
    expect(seen.size).toBe(1);
  });

  test('and attaches each address is rejected when it has its allowance in quarantine, and others are not', async () => {
    const world = await useRegion({ agents: 1 });
    const [looping, other] = [await world.account({ reservedIpLimit: 3 }), await world.account()];
    const droplets = await world.droplets(looping, 3);
    const loop = async (droplet: number) => {
      for (;;) {
        const rejection = await useUp(looping, droplet);
        if (rejection) return rejection;
      }
    };

    for (const rejection of await Promise.all(droplets.map(loop))) expect(rejection).toMatchObject(IN_QUARANTINE);

    await allDetached(world);
    const { free, resting } = await poolOf(world);
    expect(resting).toBeGreaterThanOrEqual(COOLDOWN_ALLOWANCE);
    expect(resting, 'each loop was in the middle of one at most').toBeLessThan(COOLDOWN_ALLOWANCE + 3);
    expect(free + resting).toBe(126);
    expect(await reserve(other, world)).toMatchObject({ status: 202 });
    const log = await world.admin.get(`/internal/v1/audit-log?account=${looping.id}&limit=1`);
    expect(expectAnswer(log, 200, entriesSchema).entries).toMatchObject([
      { outcome: 'refused', detail: expect.stringContaining('422') },
    ]);

    await letPass(looping, QUARANTINE_TIME_SECONDS);
    expect(await reserve(looping, world), 'when the quarantine is over').toMatchObject({ status: 202 });
  });

  test.each([
    [30, 1, 2],
    [29, 3, 6],
    [28, 7, 14],
  ])('and attaches each address leaves half of a /%i to others', async (prefixLength, most, size) => {
    const world = await useRegion({ agents: 1, prefixLength });
    const [looping, other] = [await world.account({ reservedIpLimit: 3 }), await world.account()];
    // Its part of an hour is less than half.
    await limits(world, looping, { pool_share_per_hour_percent: 100 });
    const [droplet = 0] = await world.droplets(looping, 1);
    for (let round = 0; round < most; round++) expect(await useUp(looping, droplet)).toBeNull();

    expect(await useUp(looping, droplet)).toMatchObject(IN_QUARANTINE);

    await allDetached(world);
    expect(await poolOf(world)).toMatchObject({ free: size - most, resting: most, reserved: 0 });
    for (let held = 0; held < most; held++) await other.reserve(world.region);
  });

  test('is counted what a silent host has not detached yet', async () => {
    const world = await useRegion({ manualHosts: 1 });
    const account = await world.account({ reservedIpLimit: 3 });
    const [droplet = 0] = await world.droplets(account, 1);
    const [host] = world.manualHosts;
    for (let round = 0; round < COOLDOWN_ALLOWANCE; round++) {
      const { ip, actionId } = await account.reserveFor(droplet);
      await host?.confirm(ip, 'attach');
      await account.completed({ id: actionId });
      await account.release(ip);
    }
    expect(await poolOf(world)).toMatchObject({ releasing: COOLDOWN_ALLOWANCE, resting: 0 });
    expect(await account.http.post('/v2/reserved_ips', { droplet_id: droplet })).toMatchObject(IN_QUARANTINE);
  });

  test('is counted by IP version, and may go on with the other one', async () => {
    const world = await useRegion({ agents: 1, ipv6PrefixLength: 120 });
    const account = await world.account({ reservedIpLimit: 3 });
    const [droplet = 0] = await world.droplets(account, 1);
    for (let round = 0; round < COOLDOWN_ALLOWANCE; round++) {
      const ip = await account.reserveIpv6(world.region);
      await account.assign(ip, droplet);
      await account.unassign(ip);
      await account.release(ip);
    }
    expect(await reserveIpv6(account, world)).toMatchObject({
      status: 422,
      body: { message: expect.stringMatching(/^Too many reserved IPv6s .* still in cooldown/) },
    });
    expect(await reserve(account, world)).toMatchObject({ status: 202 });
  });
});

describe('an honest customer', () => {
  test('at the limit deletes one that was in use and creates another at once, several times', async () => {
    const world = await useRegion({ agents: 1 });
    const account = await world.account({ reservedIpLimit: 3 });
    const [droplet = 0] = await world.droplets(account, 1);
    await account.reserve(world.region);
    await account.reserve(world.region);
    for (let round = 0; round < 8; round++) {
      const ip = await account.reserve(world.region);
      await account.assign(ip, droplet);
      expect(await reserve(account, world)).toMatchObject({ status: 422 });
      await account.release(ip);
    }
    expect(await reserve(account, world)).toMatchObject({ status: 202 });
  });

  test('of whom the operator lets hold many may delete them all and create them again', async () => {
    const world = await useRegion({ agents: 1 });
    const account = await world.account({ reservedIpLimit: 15 });
    const droplets = await world.droplets(account, 15);
    for (const rejection of await Promise.all(droplets.map((droplet) => useUp(account, droplet)))) {
      expect(rejection).toBeNull();
    }
    await allDetached(world);
    expect(await poolOf(world)).toMatchObject({ resting: 15 });
    expect(await reserve(account, world)).toMatchObject(IN_QUARANTINE);
    await letPass(account, QUARANTINE_TIME_SECONDS);
    expect(await reserve(account, world)).toMatchObject({ status: 202 });
  });
});

describe('the share of a pool', () => {
  test('is not exceeded by many requests at a time, by whichever way they come', async () => {
    const world = await useRegion({ agents: 1, prefixLength: 27 });
    const account = await world.account();
    const droplets = await world.droplets(account, 12);
    const internal = createReservedIpClient({ temporal: environment.temporal });
    const target = { region: world.region, dropletId: null };
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => reserve(account, world)),
      ...Array.from({ length: 8 }, () => account.http.post('/v2/floating_ips', { region: world.region })),
      ...droplets.map((droplet) => account.http.post('/v2/reserved_ips', { droplet_id: droplet })),
      ...Array.from({ length: 8 }, async () => {
        const { decision } = await internal.reserve({ accountId: account.id, target });
        return decision.kind === 'admitted' ? { status: 202 } : { status: decision.refusal };
      }),
    ]);

    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(15);
    expect(new Set(statuses)).toEqual(new Set([202, 422, 'pool_share_reached']));
    expect(await poolOf(world)).toMatchObject({ free: 15 });
    expect(await reserve(account, world)).toMatchObject(SHARE_USED_UP);
    expect(await reserve(await world.account(), world)).toMatchObject({ status: 202 });
  });

  test('is one of each region and IP version', async () => {
    const [here, there] = [
      await useRegion({ prefixLength: 29, ipv6PrefixLength: 125 }),
      await useRegion({ prefixLength: 29 }),
    ];
    const account = await here.account();
    for (let held = 0; held < 3; held++) await account.reserve(here.region);
    expect(await reserve(account, here)).toMatchObject(SHARE_USED_UP);
    expect(await reserve(account, there)).toMatchObject({ status: 202 });
    for (let held = 0; held < 3; held++) await account.reserveIpv6(here.region);
    expect(await reserveIpv6(account, here)).toMatchObject({ status: 422 });
  });

  test('counts all ranges of the region together', async () => {
    const world = await useRegion({ prefixLength: 29 });
    const account = await world.account();
    for (let held = 0; held < 3; held++) await account.reserve(world.region);
    expect(await reserve(account, world)).toMatchObject(SHARE_USED_UP);
    await world.importPool({ first: 0xf0000000, prefixLength: 4 }, 29);
    const more = [];
    for (let held = 3; held < 7; held++) more.push((await reserve(account, world)).status);
    expect(more, 'half of two ranges of 6').toEqual([202, 202, 202, 422]);
  });

  test('of an hour binds an account whose quarantines are over, until the hour is', async () => {
    const world = await useRegion({ agents: 1, prefixLength: 26 });
    const account = await world.account({ reservedIpLimit: 1_000 });
    const droplets = await world.droplets(account, 15);
    for (const droplet of droplets) expect(await useUp(account, droplet)).toBeNull();
    await allDetached(world);
    await letPass(account, QUARANTINE_TIME_SECONDS + 1);
    expect(await poolOf(world)).toMatchObject({ free: 62, resting: 0 });

    expect(await reserve(account, world), 'a quarter of 62 was released').toMatchObject(SHARE_USED_UP);
    await letPass(account, 3_600 - QUARANTINE_TIME_SECONDS - 60);
    expect(await reserve(account, world), 'a minute before the hour').toMatchObject(SHARE_USED_UP);
    await letPass(account, 60);
    expect(await reserve(account, world), 'after the hour').toMatchObject({ status: 202 });
  });

  test('is what the operator sets for an account, until the operator takes that back', async () => {
    const world = await useRegion({ prefixLength: 28 });
    const account = await world.account();
    for (let held = 0; held < 7; held++) await account.reserve(world.region);
    expect(await reserve(account, world)).toMatchObject(SHARE_USED_UP);

    expect(await limits(world, account, { pool_share_held_percent: 100 })).toMatchObject({
      status: 200,
      body: { account: { pool_share_held_percent: 100, pool_share_per_hour_percent: null } },
    });
    expect(await reserve(account, world)).toMatchObject({ status: 202 });

    await limits(world, account, { pool_share_held_percent: null, pool_share_per_hour_percent: 7 });
    expect(await reserve(account, world)).toMatchObject(SHARE_USED_UP);
    for (const percent of [-1, 101, 1.5, '50']) {
      expect(await limits(world, account, { pool_share_held_percent: percent }), String(percent)).toMatchObject({
        status: 422,
      });
    }
  });

  test('shows operators who has the most of it', async () => {
    const world = await useRegion({ agents: 1, prefixLength: 28 });
    const [most, some, none] = [await world.account(), await world.account(), await world.account()];
    const [droplet = 0] = await world.droplets(most, 1);
    expect(await useUp(most, droplet)).toBeNull();
    await allDetached(world);
    for (let held = 0; held < 2; held++) await most.reserve(world.region);
    await some.reserve(world.region);
    await none.release(await none.reserve(world.region));

    const answer = await world.admin.get(`/internal/v1/regions/${world.region}/accounts`);

    expect(answer).toMatchObject({ status: 200 });
    const row = { ip_version: 4, name: expect.any(String) };
    expect(answer.body).toEqual({
      accounts: [
        { ...row, account_id: most.id, held: 2, cooling: 1, percent: 21.4 },
        { ...row, account_id: some.id, held: 1, cooling: 0, percent: 7.1 },
      ],
    });
    const first = await world.admin.get(`/internal/v1/regions/${world.region}/accounts?limit=1`);
    expect(first).toMatchObject({ body: { accounts: [{ account_id: most.id }] } });
    expect(await world.admin.get('/internal/v1/regions/nowhere/accounts')).toMatchObject({ status: 404 });
  });
});

describe('the quarantine of a released address', () => {
  /** Whether the only address of a region that is not held can be reserved. */
  const expectQuarantined = async (world: World, releasedBy: Account) => {
    await allDetached(world);
    expect(await poolOf(world)).toMatchObject({ free: 1, resting: 1, reserved: 0 });
    const { released_by } = await db
      .selectFrom('addresses')
      .innerJoin('regions', 'regions.id', 'addresses.region_id')
      .select('released_by')
      .where('regions.slug', '=', world.region)
      .where('available_at', '>', new Date())
      .executeTakeFirstOrThrow();
    expect(released_by).toBe(releasedBy.id);
  };

  test('when it was on a droplet, even if it is on none any more', async () => {
    const world = await useRegion({ agents: 1, prefixLength: 30 });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const ip = await account.reserve(world.region);
    await account.assign(ip, droplet);
    await account.unassign(ip);
    await account.release(ip);
    await expectQuarantined(world, account);
  });

  test('when its droplet was destroyed', async () => {
    const world = await useRegion({ agents: 1, prefixLength: 30 });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const { ip, actionId } = await account.reserveFor(droplet);
    await account.completed({ id: actionId });
    expect(await account.http.delete(`/v2/droplets/${droplet}`)).toMatchObject({ status: 204 });
    await until('it was on no droplet', async () => !(await account.show(ip)).locked);
    await account.release(ip);
    await expectQuarantined(world, account);
  });

  test('when its host was commanded to attach it and could not, so that it was never on the droplet', async () => {
    const world = await useRegion({ agents: 1, prefixLength: 30 });
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    world.agents[0]?.driver.failNext(5);
    const { ip, actionId } = await account.reserveFor(droplet);
    expect(await account.ended({ id: actionId })).toMatchObject({ status: 'errored' });
    await account.release(ip);
    await expectQuarantined(world, account);
  });

  test('for its next owner too, while a host that is gone may come back with it', async () => {
    const world = await useRegion({ manualHosts: 1, prefixLength: 30 });
    const [first, next, keeper] = [await world.account(), await world.account(), await world.account()];
    const [droplet = 0] = await world.droplets(first, 1);
    const [host] = world.manualHosts;
    const kept = await keeper.reserve(world.region);
    const { ip, actionId } = await first.reserveFor(droplet);
    await host?.confirm(ip, 'attach');
    await first.completed({ id: actionId });
    await world.admin.post(`/internal/v1/hosts/${host?.name}/gone`);
    await first.release(ip);
    await letPass(first, QUARANTINE_TIME_SECONDS + 1);

    expect(await next.reserve(world.region)).toBe(ip);
    await next.release(ip);

    await keeper.release(kept);
    await expectQuarantined(world, next);
  });

  test('when the legacy upstream gave it to its owner, of which this one cannot know what was done with it', async () => {
    const world = await useRegion({ prefixLength: 30 });
    const account = await world.account();
    const ip = await account.reserve(world.region);
    await account.release(ip);
    const free = await db
      .selectFrom('addresses')
      .select(['id', 'generation', 'region_id', 'address as bytes'])
      .where('address', '=', addressToBytes(ip))
      .executeTakeFirstOrThrow();
    const actionId = await insertAction(db, {
      accountId: account.id,
      resourceName: 'reserved_ips',
      type: 'reserve_ip',
      address: free,
      regionId: free.region_id,
      dropletId: null,
      done: true,
    });
    await reserveRow(db, free, { accountId: account.id, projectId: null, actionId, targetDropletId: null });
    await account.release(ip);
    await expectQuarantined(world, account);
  });
});
