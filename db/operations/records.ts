import { sql } from 'kysely';
import { type Address, addressFromBytes, addressToBytes, type Family } from '../../domain/address.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { AddressState, HostState } from '../schema.ts';

/** An address row under its lock, with the time on the database's clock. */
export interface LockedAddress {
  id: number;
  address: Address;
  family: Family;
  region_id: number;
  region: string;
  state: AddressState;
  account_id: number | null;
  droplet_id: number | null;
  target_droplet_id: number | null;
  generation: number;
  pending_action_id: number | null;
  last_action_id: number | null;
  changed_at: Date;
  now: Date;
}

/** A droplet and the host it runs on. */
export interface DropletPlace {
  id: number;
  account_id: number;
  region_id: number;
  host_id: number;
  host: string;
  host_state: HostState;
  anchor: Buffer;
  deleted_at: Date | null;
}

const addressColumns = [
  'id',
  'address',
  'family',
  'region_id',
  'state',
  'account_id',
  'droplet_id',
  'target_droplet_id',
  'generation',
  'pending_action_id',
  'last_action_id',
  'changed_at',
] as const;

/** Scalar subqueries, because FOR UPDATE would lock the rows of a joined table too. */
const regionSlug = sql<string>`(SELECT slug FROM regions WHERE regions.id = addresses.region_id)`.as('region');
const hostName = sql<string>`(SELECT name FROM hosts WHERE hosts.id = droplets.host_id)`.as('host');
const hostState = sql<HostState>`(SELECT state FROM hosts WHERE hosts.id = droplets.host_id)`.as('host_state');

function selectAddress(tx: DatabaseTransaction) {
  return tx.selectFrom('addresses').select([...addressColumns, regionSlug, sql<Date>`NOW(3)`.as('now')]);
}

type AddressRow = Awaited<ReturnType<ReturnType<typeof selectAddress>['executeTakeFirstOrThrow']>>;

function toLockedAddress(row: AddressRow): LockedAddress {
  return { ...row, address: addressFromBytes(row.address), family: row.family === 4 ? 4 : 6 };
}

/** Locks the row of an address; null when no pool has it. */
export async function lockAddress(tx: DatabaseTransaction, address: Address): Promise<LockedAddress | null> {
  const row = await selectAddress(tx).where('address', '=', addressToBytes(address)).forUpdate().executeTakeFirst();
  return row ? toLockedAddress(row) : null;
}

/** Locks the free address of a region that has rested longest, passing over those that others are taking. */
export async function lockFreeAddress(
  tx: DatabaseTransaction,
  regionId: number,
  family: Family,
): Promise<LockedAddress | null> {
  const row = await selectAddress(tx)
    .where('region_id', '=', regionId)
    .where('family', '=', family)
    .where('state', '=', 'free')
    .where('available_at', '<=', sql<Date>`NOW(3)`)
    .orderBy('available_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
  return row ? toLockedAddress(row) : null;
}

function selectDroplet(tx: DatabaseTransaction, dropletId: number) {
  return tx
    .selectFrom('droplets')
    .select(['id', 'account_id', 'region_id', 'host_id', 'anchor', 'deleted_at', hostName, hostState])
    .where('id', '=', dropletId);
}

/** Locks a droplet's row, so that no second address can be sent to it meanwhile. */
export async function lockDroplet(tx: DatabaseTransaction, dropletId: number): Promise<DropletPlace | null> {
  return (await selectDroplet(tx, dropletId).forUpdate().executeTakeFirst()) ?? null;
}

/** Where a droplet is, without a lock; deleted ones too, since a host may still answer for them. */
export async function findDroplet(tx: DatabaseTransaction, dropletId: number): Promise<DropletPlace | null> {
  return (await selectDroplet(tx, dropletId).executeTakeFirst()) ?? null;
}

/** What stands in the way of giving a droplet another address: an address on it, or one on its way. */
export async function dropletOccupation(
  tx: DatabaseTransaction,
  dropletId: number,
  family: Family,
): Promise<'free' | 'pending' | 'held'> {
  const rows = await tx
    .selectFrom('addresses')
    .select(['pending_action_id'])
    .where('family', '=', family)
    .where((where) => where.or([where('droplet_id', '=', dropletId), where('target_droplet_id', '=', dropletId)]))
    .execute();
  if (rows.some((row) => row.pending_action_id !== null)) return 'pending';
  return rows.length > 0 ? 'held' : 'free';
}

/** The time a change takes effect: now, but never before the address's previous change. */
export function effectiveTime(address: LockedAddress): Date {
  return new Date(Math.max(address.now.getTime(), address.changed_at.getTime()));
}
