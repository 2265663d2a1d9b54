import { type RawBuilder, sql } from 'kysely';
import type { IpVersion } from '../domain/address.ts';
import type { Database } from './database.ts';

const ROWS_PER_INSERT = 1_000;

/** A range to be imported. */
export interface NewPool {
  region: string;
  cidr: string;
  ipVersion: IpVersion;
  /** First and last address of the whole range, as bytes. */
  first: Buffer;
  last: Buffer;
  /** Counts the addresses that may be handed out, as bytes. */
  addresses: () => Iterable<Buffer>;
}

/** The outcome of an import. */
export type PoolImport =
  | { kind: 'imported'; id: number; addresses: number }
  | { kind: 'region_not_found' }
  | { kind: 'overlaps'; cidr: string };

/** Adds a range to a region, all of it or nothing. A range that overlaps with any other is rejected. */
export async function importPool(tx: Database, pool: NewPool): Promise<PoolImport> {
  // Imports into different regions may overlap too, so each locks all regions: one import at a time.
  const regions = await tx.selectFrom('regions').select(['id', 'slug']).orderBy('id').forUpdate().execute();
  const region = regions.find(({ slug }) => slug === pool.region);
  if (!region) return { kind: 'region_not_found' };
  const overlapping = await tx
    .selectFrom('pools')
    .select('cidr')
    .where(sql<number>`LENGTH(first_address)`, '=', pool.first.length)
    .where('first_address', '<=', pool.last)
    .where('last_address', '>=', pool.first)
    .limit(1)
    .executeTakeFirst();
  if (overlapping) return { kind: 'overlaps', cidr: overlapping.cidr };
  const { insertId } = await tx
    .insertInto('pools')
    .values({ region_id: region.id, cidr: pool.cidr, first_address: pool.first, last_address: pool.last })
    .executeTakeFirstOrThrow();
  const id = Number(insertId);
  const addresses = await insertAddresses(tx, pool, { poolId: id, regionId: region.id });
  return { kind: 'imported', id, addresses };
}

async function insertAddresses(
  tx: Database,
  { addresses, ipVersion }: NewPool,
  { poolId, regionId }: { poolId: number; regionId: number },
): Promise<number> {
  let total = 0;
  let batch: Buffer[] = [];
  const flush = async () => {
    if (batch.length === 0) return;
    const rows = batch.map(
      (address) => sql`(${address}, ${sql.lit(ipVersion)}, ${sql.lit(poolId)}, ${sql.lit(regionId)})`,
    );
    await sql`INSERT INTO addresses (address, family, pool_id, region_id) VALUES ${sql.join(rows)}`.execute(tx);
    total += batch.length;
    batch = [];
  };
  for (const address of addresses()) {
    if (batch.push(address) === ROWS_PER_INSERT) await flush();
  }
  await flush();
  return total;
}

/** A pool, and how many of its addresses are in which state. */
export interface PoolUse {
  id: number;
  cidr: string;
  region: string;
  total: number;
  free: number;
  /** Released a short while ago; not handed out yet. */
  resting: number;
  /** Held by a customer, on no droplet. */
  reserved: number;
  /** Held by a customer, on a droplet. */
  assigned: number;
  /** Released, but a host may still answer on it. */
  releasing: number;
}

/** All pools with their use, by region. Reads every address, so it is for operators only. */
export async function listPools(db: Database): Promise<PoolUse[]> {
  const count = (condition: RawBuilder<unknown>) => sql<number>`COUNT(CASE WHEN ${condition} THEN 1 END)`;
  return db
    .selectFrom('pools')
    .innerJoin('regions', 'regions.id', 'pools.region_id')
    .innerJoin('addresses', 'addresses.pool_id', 'pools.id')
    .select(({ fn }) => [
      'pools.id',
      'pools.cidr',
      'regions.slug as region',
      fn.count<number>('addresses.id').as('total'),
      count(sql`addresses.state = 'free' AND available_at <= NOW(3)`).as('free'),
      count(sql`addresses.state = 'free' AND available_at > NOW(3)`).as('resting'),
      count(sql`addresses.state = 'reserved' AND droplet_id IS NULL`).as('reserved'),
      count(sql`addresses.state = 'reserved' AND droplet_id IS NOT NULL`).as('assigned'),
      count(sql`addresses.state = 'releasing'`).as('releasing'),
    ])
    .groupBy(['pools.id', 'pools.cidr', 'regions.slug'])
    .orderBy('regions.slug')
    .orderBy('pools.id')
    .execute();
}
