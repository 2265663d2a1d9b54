import { type Expression, sql } from 'kysely';
import type { Family } from '../../domain/address.ts';
import { type PoolShareFacts, type PoolShareRules, plentyOf, poolShareRefusal } from '../../domain/pool-share.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { OperationRules } from './admit.ts';

const HOUR_SECONDS = 3_600;

/** All addresses of one IP version in one region. */
export interface Pool {
  regionId: Expression<number | null>;
  family: Family;
}

/** How many addresses an account holds, all in all and of a pool. What no host has let go of yet is counted by itself. */
export function heldQuery(tx: DatabaseTransaction, accountId: number, { regionId, family }: Pool) {
  const count = (state: string, here: Expression<unknown>) =>
    sql<number>`COUNT(CASE WHEN state = ${state} AND ${here} THEN 1 END)`;
  const here = sql`region_id = ${regionId}`;
  return tx
    .selectFrom('addresses')
    .select([
      count('reserved', sql`TRUE`).as('total'),
      count('reserved', here).as('held'),
      count('releasing', here).as('releasing'),
    ])
    .where('account_id', '=', accountId)
    .where('family', '=', family);
}

/**
 * How many addresses of a pool an account released that are in cooldown, and how many into a cooldown that began within
 * the last hour: all cooldowns are of one length, so its beginning is known by its end.
 */
export function coolingQuery(
  tx: DatabaseTransaction,
  accountId: number,
  { regionId, family }: Pool,
  { quarantineSeconds }: OperationRules,
) {
  const beginning = (secondsAgo: number) =>
    sql<Date>`NOW(3) - INTERVAL ${sql.lit(secondsAgo)} SECOND + INTERVAL ${sql.lit(quarantineSeconds)} SECOND`;
  return tx
    .selectFrom('addresses')
    .select([
      sql<number>`COUNT(CASE WHEN available_at > NOW(3) THEN 1 END)`.as('cooling'),
      sql<number>`COUNT(CASE WHEN available_at > ${beginning(HOUR_SECONDS)} THEN 1 END)`.as('releasedWithinHour'),
    ])
    .where('released_by', '=', accountId)
    .where('family', '=', family)
    .where('region_id', '=', regionId)
    .where('state', '=', 'free')
    .where(
      'available_at',
      '>',
      sql<Date>`NOW(3) - INTERVAL ${sql.lit(Math.max(0, HOUR_SECONDS - quarantineSeconds))} SECOND`,
    );
}

/** How many addresses the ranges of a pool have, from their lengths; with the one or two of each that nobody is given. */
export function poolSizeQuery(tx: DatabaseTransaction, { regionId, family }: Pool) {
  const [bytes, bits] = family === 4 ? [4, 32] : [16, 128];
  return tx
    .selectFrom('pools')
    .select(sql<number>`COALESCE(SUM(POW(2, ${sql.lit(bits)} - SUBSTRING_INDEX(cidr, '/', -1))), 0)`.as('size'))
    .where('region_id', '=', regionId)
    .where(sql<number>`LENGTH(first_address)`, '=', bytes);
}

/**
 * Whether an account may take one more address of a pool. The free ones are counted only when the account has used up a
 * share of it, and no further than it matters.
 */
export async function refusalOfShare(
  tx: DatabaseTransaction,
  pool: { regionId: number; family: Family },
  facts: Omit<PoolShareFacts, 'free'>,
  rules: PoolShareRules,
) {
  const refusal = poolShareRefusal({ ...facts, free: null }, rules);
  if (refusal !== 'pool_share_reached') return refusal;
  const free = await countFree(tx, pool, plentyOf(facts.size, rules));
  return poolShareRefusal({ ...facts, free }, rules);
}

async function countFree(
  tx: DatabaseTransaction,
  pool: { regionId: number; family: Family },
  atMost: number,
): Promise<number> {
  const some = tx
    .selectFrom('addresses')
    .select('id')
    .where('region_id', '=', pool.regionId)
    .where('family', '=', pool.family)
    .where('state', '=', 'free')
    .where('available_at', '<=', sql<Date>`NOW(3)`)
    .limit(atMost)
    .as('some');
  const { free } = await tx
    .selectFrom(some)
    .select(({ fn }) => fn.countAll<number>().as('free'))
    .executeTakeFirstOrThrow();
  return Number(free);
}
