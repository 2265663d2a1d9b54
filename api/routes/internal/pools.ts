import { createRoute, z } from '@hono/zod-openapi';
import { recordedLong } from '../../../db/audit-log.ts';
import { listPoolAccounts, type PoolAccount } from '../../../db/pool-accounts.ts';
import { importPool, listPools } from '../../../db/pools.ts';
import { listRegions, putRegion } from '../../../db/regions.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { conflict, notFound, unprocessable } from '../../errors.ts';
import { type AddressRange, parseAddressRange, type RangeLimits } from './address-range.ts';
import { operatorEntry } from './operator-entry.ts';
import { internal, jsonAnswer, jsonBody, newName } from './route.ts';

/** A large import takes longer than a lock is waited for, and others wait for its lock on the regions. */
const POOL_LIMITS = { attempts: 12, limitMs: 60_000 };

const SLUG = /^[a-z][a-z0-9-]{0,31}$/;

const regionSchema = z.object({ slug: z.string(), name: z.string() }).openapi('InternalRegion');
const poolUseSchema = z
  .object({
    id: z.int(),
    cidr: z.string(),
    region: z.string(),
    total: z.int(),
    free: z.int(),
    resting: z.int().openapi({ description: 'Released and still in quarantine; not available yet.' }),
    reserved: z.int().openapi({ description: 'Held by a customer and not assigned.' }),
    assigned: z.int().openapi({ description: 'Held by a customer and assigned to a Droplet.' }),
    releasing: z.int().openapi({ description: 'Released, but a host may still announce it.' }),
  })
  .openapi('InternalPool');

const putRegionRoute = createRoute({
  method: 'put',
  path: '/internal/v1/regions/{slug}',
  summary: 'Create or rename a region',
  ...internal,
  request: {
    params: z.object({ slug: z.string() }),
    ...jsonBody(z.object({ name: z.string().trim().min(1).max(255) })),
  },
  responses: { 200: jsonAnswer('The region.', z.object({ region: regionSchema })) },
});

const listRegionsRoute = createRoute({
  method: 'get',
  path: '/internal/v1/regions',
  summary: 'List all regions',
  ...internal,
  responses: { 200: jsonAnswer('By slug.', z.object({ regions: z.array(regionSchema) })) },
});

const importPoolRoute = createRoute({
  method: 'post',
  path: '/internal/v1/pools',
  summary: "Import an address range into a region's pool",
  ...internal,
  request: jsonBody(z.object({ region: z.string(), cidr: z.string().openapi({ example: '203.0.113.0/24' }) })),
  responses: {
    201: jsonAnswer(
      'The pool. Network and broadcast addresses are left out.',
      z.object({
        pool: z.object({ id: z.int(), cidr: z.string(), region: z.string(), addresses: z.int() }),
      }),
    ),
  },
});

const listPoolsRoute = createRoute({
  method: 'get',
  path: '/internal/v1/pools',
  summary: 'List all pools and their use',
  ...internal,
  responses: { 200: jsonAnswer('By region.', z.object({ pools: z.array(poolUseSchema) })) },
});

const listPoolAccountsRoute = createRoute({
  method: 'get',
  path: '/internal/v1/regions/{slug}/accounts',
  summary: "List the accounts that have the most of a region's addresses",
  ...internal,
  request: {
    params: z.object({ slug: z.string() }),
    query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(10) }),
  },
  responses: {
    200: jsonAnswer(
      'By IP version, the largest first.',
      z.object({
        accounts: z.array(
          z
            .object({
              ip_version: z.union([z.literal(4), z.literal(6)]),
              account_id: z.int(),
              name: z.string(),
              held: z.int(),
              cooling: z.int().openapi({ description: 'Released by the account and still in quarantine.' }),
              percent: z.number().openapi({
                description: 'Held and in quarantine, in percent of the addresses of that IP version in the region.',
              }),
            })
            .openapi('InternalPoolAccount'),
        ),
      }),
    ),
  },
});

/** Reads a range from a request. Throws the 422 that says what is wrong with it. */
export function addressRangeOf(text: string, limits: RangeLimits): AddressRange {
  try {
    return parseAddressRange(text, limits);
  } catch (error) {
    if (error instanceof RangeError) throw unprocessable(error.message);
    throw error;
  }
}

/** Regions and their address pools. */
export function registerPoolRoutes(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(putRegionRoute, async (c) => {
    const region = { slug: newName(c.req.valid('param').slug, 'slug', SLUG), name: c.req.valid('json').name };
    await recordedLong(
      db,
      (tx) => putRegion(tx, region),
      () => operatorEntry(c, 'put region', `region ${region.slug}`, { detail: region.name }),
      POOL_LIMITS,
    );
    return c.json({ region }, 200);
  });

  app.openapi(listRegionsRoute, async (c) => c.json({ regions: await listRegions(db) }, 200));

  app.openapi(importPoolRoute, async (c) => {
    const { region, cidr } = c.req.valid('json');
    const range = addressRangeOf(cidr, { ipVersions: [4, 6] });
    const result = await recordedLong(
      db,
      (tx) => importPool(tx, { region, ...range }),
      ({ kind }) =>
        kind === 'imported' ? operatorEntry(c, 'import pool', `pool ${range.cidr}`, { detail: region }) : null,
      POOL_LIMITS,
    );
    if (result.kind === 'region_not_found') throw unprocessable(`There is no region ${region}.`);
    if (result.kind === 'overlaps') throw conflict(`${range.cidr} overlaps with the pool ${result.cidr}.`);
    return c.json({ pool: { id: result.id, cidr: range.cidr, region, addresses: result.addresses } }, 201);
  });

  app.openapi(listPoolAccountsRoute, async (c) => {
    const accounts = await listPoolAccounts(db, c.req.valid('param').slug, c.req.valid('query').limit);
    if (!accounts) throw notFound();
    const present = ({ ipVersion, accountId, ...account }: PoolAccount) => ({
      ip_version: ipVersion,
      account_id: accountId,
      ...account,
    });
    return c.json({ accounts: accounts.map(present) }, 200);
  });

  app.openapi(listPoolsRoute, async (c) => c.json({ pools: await listPools(db) }, 200));
}
