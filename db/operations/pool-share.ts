import type { Compilable } from 'kysely';
import type { IpVersion } from '../../domain/address.ts';
import type { ReserveOperation } from '../../domain/operation.ts';
import { statement } from '../statement.ts';
import type { OperationRules } from './plan.ts';

const HOUR_SECONDS = 3_600;

/** All addresses of one IP version in one region: the region that is named, or else that of a droplet. */
export interface Pool {
  target: ReserveOperation['target'];
  ipVersion: IpVersion;
}

/** The region of a pool, for a statement. */
export function regionOf({ target: { region, dropletId } }: Pool) {
  return statement<number | null>`
    COALESCE((SELECT id FROM regions WHERE slug = ${region}), (SELECT region_id FROM droplets WHERE id = ${dropletId}))`;
}

/** How many addresses an account holds, in all and of a pool. Those that a host has not detached yet are counted apart. */
export interface HeldRow {
  total: number;
  held: number;
  releasing: number;
}

export function heldQuery(accountId: number, pool: Pool): Compilable<HeldRow> {
  const region = regionOf(pool);
  return statement<HeldRow>`
    SELECT COUNT(CASE WHEN state = 'reserved' THEN 1 END) AS total,
           COUNT(CASE WHEN state = 'reserved' AND region_id = ${region} THEN 1 END) AS held,
           COUNT(CASE WHEN state = 'releasing' AND region_id = ${region} THEN 1 END) AS releasing
    FROM addresses WHERE account_id = ${accountId} AND family = ${pool.ipVersion}`;
}

/**
 * How many addresses of a pool an account released that are in quarantine, and how many into a quarantine that began within
 * the last hour: all quarantines are of one length, so its beginning is known by its end.
 */
export interface QuarantinedRow {
  quarantined: number;
  releasedWithinHour: number;
}

export function quarantinedQuery(
  accountId: number,
  pool: Pool,
  { quarantineSeconds }: OperationRules,
): Compilable<QuarantinedRow> {
  const endSeconds = quarantineSeconds - HOUR_SECONDS;
  return statement<QuarantinedRow>`
    SELECT COUNT(CASE WHEN available_at > NOW(3) THEN 1 END) AS quarantined,
           COUNT(CASE WHEN available_at > NOW(3) + INTERVAL ${endSeconds} SECOND THEN 1 END)
             AS releasedWithinHour
    FROM addresses
    WHERE released_by = ${accountId} AND family = ${pool.ipVersion} AND region_id = ${regionOf(pool)} AND state = 'free'
      AND available_at > NOW(3) + INTERVAL ${Math.min(0, endSeconds)} SECOND`;
}

/**
 * How many addresses the ranges of a pool have, from their lengths; without the one or two of each that an import leaves
 * out, which are a third of what the smallest ranges have.
 */
export function poolSizeQuery(pool: Pool): Compilable<{ size: number }> {
  const [bytes, bits, leftOut] = pool.ipVersion === 4 ? [4, 32, 2] : [16, 128, 1];
  return statement<{ size: number }>`
    SELECT COALESCE(SUM(addresses - IF(addresses <= 2, 0, ${leftOut})), 0) AS size
    FROM (SELECT POW(2, ${bits} - SUBSTRING_INDEX(cidr, '/', -1)) AS addresses
          FROM pools
          WHERE region_id = ${regionOf(pool)} AND LENGTH(first_address) = ${bytes}) AS ranges`;
}

/** How many addresses of a pool are free, counted no further than `atMost`. */
export function freeCountQuery(pool: Pool, atMost: number): Compilable<{ free: number }> {
  return statement<{ free: number }>`
    SELECT COUNT(*) AS free
    FROM (SELECT id FROM addresses
          WHERE region_id = ${regionOf(pool)} AND family = ${pool.ipVersion} AND state = 'free' AND available_at <= NOW(3)
          LIMIT ${atMost}) AS some`;
}
