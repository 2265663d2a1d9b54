import { sql } from 'kysely';
import { type Address, addressFromBytes, addressToBytes, type Family } from '../../domain/address.ts';
import { familyOfResource, type Operation, type ReserveOperation } from '../../domain/operation.ts';
import type { AccountUse, PoolShareOverrides } from '../../domain/pool-share.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { ActionStatus, AddressState, HostState } from '../schema.ts';
import { readTogether } from '../together.ts';
import type { OperationRules } from './admit.ts';
import { coolingQuery, heldQuery, poolSizeQuery } from './pool-share.ts';

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

/** A droplet and the host it runs on. Its anchor is the IPv4 one, from which that of each family follows. */
export interface DropletPlace {
  id: number;
  account_id: number;
  region_id: number;
  host_id: number;
  host: string;
  host_state: HostState;
  anchor: Address;
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

type DropletRow = Omit<DropletPlace, 'anchor'> & { anchor: Buffer };

function toDropletPlace(row: DropletRow): DropletPlace {
  return { ...row, anchor: addressFromBytes(row.anchor) };
}

type AddressRow = Omit<LockedAddress, 'address' | 'family'> & { address: Buffer; family: number };

function toLockedAddress(row: AddressRow): LockedAddress {
  return { ...row, address: addressFromBytes(row.address), family: row.family === 4 ? 4 : 6 };
}

function selectAddress(tx: DatabaseTransaction) {
  return tx.selectFrom('addresses').select([...addressColumns, regionSlug, sql<Date>`NOW(3)`.as('now')]);
}

function lockingAddress(tx: DatabaseTransaction, address: Address) {
  return selectAddress(tx).where('address', '=', addressToBytes(address)).forUpdate();
}

function selectDroplet(tx: DatabaseTransaction, dropletId: number | null) {
  return tx
    .selectFrom('droplets')
    .select(['id', 'account_id', 'region_id', 'host_id', 'anchor', 'deleted_at', hostName, hostState])
    .where('id', '=', dropletId);
}

function selectOccupants(tx: DatabaseTransaction, dropletId: number | null) {
  return tx
    .selectFrom('addresses')
    .select(['id', 'family', 'pending_action_id'])
    .where((where) => where.or([where('droplet_id', '=', dropletId), where('target_droplet_id', '=', dropletId)]));
}

/** Locks the row of an address; null when no pool has it. */
export async function lockAddress(tx: DatabaseTransaction, address: Address): Promise<LockedAddress | null> {
  const row = await lockingAddress(tx, address).executeTakeFirst();
  return row ? toLockedAddress(row) : null;
}

/** What is on a droplet, or on its way to it, as seen under the droplet's lock. */
export interface Occupants {
  /** What stands in the way of giving the droplet an address of a family. */
  of(family: Family): 'free' | 'pending' | 'held';
}

type OccupantRow = { family: number; pending_action_id: number | null };

function toOccupants(rows: OccupantRow[]): Occupants {
  return {
    of(family) {
      const own = rows.filter((row) => row.family === family);
      if (own.some((row) => row.pending_action_id !== null)) return 'pending';
      return own.length > 0 ? 'held' : 'free';
    },
  };
}

/** A droplet under its lock, so that no second address can be sent to it meanwhile. */
export interface LockedDroplet extends DropletPlace {
  occupants: Occupants;
}

function toLockedDroplet(row: DropletRow, occupants: OccupantRow[]): LockedDroplet {
  return { ...toDropletPlace(row), occupants: toOccupants(occupants) };
}

/** Locks an address and then a droplet, and sees what is on the droplet; each null when it is not there. */
export async function lockAddressAndDroplet(
  tx: DatabaseTransaction,
  address: Address,
  dropletId: number,
): Promise<{ address: LockedAddress | null; droplet: LockedDroplet | null }> {
  const [[addressRow], [dropletRow], occupants] = await readTogether(tx, [
    lockingAddress(tx, address),
    selectDroplet(tx, dropletId).forUpdate(),
    selectOccupants(tx, dropletId),
  ]);
  return {
    address: addressRow ? toLockedAddress(addressRow) : null,
    droplet: dropletRow ? toLockedDroplet(dropletRow, occupants) : null,
  };
}

/** Locks a droplet and sees what is on it; null when it is not there. */
export async function lockDroplet(tx: DatabaseTransaction, dropletId: number): Promise<LockedDroplet | null> {
  const [[row], occupants] = await readTogether(tx, [
    selectDroplet(tx, dropletId).forUpdate(),
    selectOccupants(tx, dropletId),
  ]);
  return row ? toLockedDroplet(row, occupants) : null;
}

/** A host that may answer on an address. */
export interface AnsweringHost {
  id: number;
  name: string;
  state: HostState;
}

/** What a release is about, under the lock of the address. */
export interface ReleaseLocks {
  /** Null when no pool has it. */
  address: LockedAddress | null;
  /** Those whose newest event about the address is anything but a detach that they confirmed. */
  hosts: AnsweringHost[];
  /**
   * Nothing has happened to the address since this stack reserved it in a region, so no host was told of it for its
   * present owner. Whoever changes an address writes its action there, this stack or another.
   */
  untouched: boolean;
}

/** Locks an address and finds the hosts that may answer on it. */
export async function lockAddressAndHosts(tx: DatabaseTransaction, address: Address): Promise<ReleaseLocks> {
  const itsId = tx.selectFrom('addresses').select('id').where('address', '=', addressToBytes(address));
  const newest = tx
    .selectFrom('host_events')
    .select((select) => ['host_id', select.fn.max('sequence').as('sequence')])
    .where('address_id', '=', itsId)
    .groupBy('host_id')
    .as('newest');
  const [[row], [reserve], hosts] = await readTogether(tx, [
    lockingAddress(tx, address),
    tx
      .selectFrom('addresses')
      .innerJoin('actions', 'actions.id', 'addresses.last_action_id')
      .select('actions.id')
      .where('addresses.address', '=', addressToBytes(address))
      .where('actions.type', '=', 'reserve_ip')
      .where('actions.operation_id', 'is not', null),
    tx
      .selectFrom(newest)
      .innerJoin('host_events as event', (join) =>
        join.onRef('event.host_id', '=', 'newest.host_id').onRef('event.sequence', '=', 'newest.sequence'),
      )
      .innerJoin('hosts', 'hosts.id', 'event.host_id')
      .select(['hosts.id', 'hosts.name', 'hosts.state'])
      .where((where) =>
        where.or([
          where('event.change', '=', 'attach'),
          where('event.outcome', 'is', null),
          where('event.outcome', '=', 'failed'),
        ]),
      ),
  ]);
  return { address: row ? toLockedAddress(row) : null, hosts, untouched: reserve !== undefined };
}

/** What a reserve is about, under the locks that it takes: of the account, a free address and the droplet. */
export interface ReserveLocks {
  /** The limit holds for each family by itself. */
  account: { limit: number; held: number; overrides: PoolShareOverrides };
  /** Of the region that was named; null when none was, or there is none such. */
  regionId: number | null;
  /** The free address of the region, or else of the droplet's, that has rested longest. */
  address: LockedAddress | null;
  /** What the account has of the pool that the address is to come from, and how large the pool is. */
  pool: { size: number; use: AccountUse };
  droplet: LockedDroplet | null;
}

/**
 * Locks the account, so that two reserves at once cannot both take its last place, then a free address, passing over
 * those that others are taking, and then the droplet.
 */
export async function lockForReserve(
  tx: DatabaseTransaction,
  operation: ReserveOperation,
  rules: OperationRules,
): Promise<ReserveLocks> {
  const { accountId, target } = operation;
  const family = familyOfResource(operation.resourceType);
  const namedRegion = tx.selectFrom('regions').select('id').where('slug', '=', target.region);
  const dropletRegion = tx.selectFrom('droplets').select('region_id').where('id', '=', target.dropletId);
  const pool = { regionId: sql<number | null>`COALESCE(${namedRegion}, ${dropletRegion})`, family };
  const [[account], [count], [cooled], [ranges], [region], [addressRow], [dropletRow], occupants] = await readTogether(
    tx,
    [
      tx
        .selectFrom('accounts')
        .select(['reserved_ip_limit', 'pool_share_held_percent', 'pool_share_per_hour_percent'])
        .where('id', '=', accountId)
        .forUpdate(),
      heldQuery(tx, accountId, pool),
      coolingQuery(tx, accountId, pool, rules),
      poolSizeQuery(tx, pool),
      namedRegion,
      selectAddress(tx)
        .where('region_id', '=', pool.regionId)
        .where('family', '=', family)
        .where('state', '=', 'free')
        .where('available_at', '<=', sql<Date>`NOW(3)`)
        .orderBy('available_at')
        .limit(1)
        .forUpdate()
        .skipLocked(),
      selectDroplet(tx, target.dropletId).forUpdate(),
      selectOccupants(tx, target.dropletId),
    ],
  );
  return {
    account: {
      limit: account?.reserved_ip_limit ?? 0,
      held: Number(count?.total ?? 0),
      overrides: {
        heldPercent: account?.pool_share_held_percent ?? null,
        perHourPercent: account?.pool_share_per_hour_percent ?? null,
      },
    },
    regionId: region?.id ?? null,
    address: addressRow ? toLockedAddress(addressRow) : null,
    pool: {
      size: Number(ranges?.size ?? 0),
      use: {
        held: Number(count?.held ?? 0),
        cooling: Number(cooled?.cooling ?? 0) + Number(count?.releasing ?? 0),
        releasedWithinHour: Number(cooled?.releasedWithinHour ?? 0) + Number(count?.releasing ?? 0),
      },
    },
    droplet: dropletRow ? toLockedDroplet(dropletRow, occupants) : null,
  };
}

/** Where a droplet is, without a lock; deleted ones too, since a host may still answer for them. */
export async function findDroplet(tx: DatabaseTransaction, dropletId: number | null): Promise<DropletPlace | null> {
  if (dropletId === null) return null;
  const row = await selectDroplet(tx, dropletId).executeTakeFirst();
  return row ? toDropletPlace(row) : null;
}

/** An action as the later steps of its operation need it. */
export interface ActionRecord {
  id: number;
  status: ActionStatus;
  droplet_id: number | null;
  previous_droplet_id: number | null;
  completed_at: Date | null;
}

/** Locks the address of an admitted operation and reads its action under that lock. Both exist. */
export async function lockAdmitted(
  tx: DatabaseTransaction,
  { address, actionId }: Admitted,
): Promise<{ address: LockedAddress; action: ActionRecord }> {
  const [[addressRow], [action]] = await readTogether(tx, [
    lockingAddress(tx, address),
    tx
      .selectFrom('actions')
      .select(['id', 'status', 'droplet_id', 'previous_droplet_id', 'completed_at'])
      .where('id', '=', actionId),
  ]);
  if (!addressRow || !action) throw new Error(`action ${actionId} on ${address} was admitted but is not there`);
  return { address: toLockedAddress(addressRow), action };
}

/** The time a change takes effect: now, but never before the address's previous change. */
export function effectiveTime(address: LockedAddress): Date {
  return new Date(Math.max(address.now.getTime(), address.changed_at.getTime()));
}

/**
 * Whether an operation may change an address: its account holds it, and it is of the family that the operation is
 * about. A released one is nobody's, though it may still be detached.
 */
export function isHeldFor(operation: Operation, address: LockedAddress | null): address is LockedAddress {
  return (
    address?.state === 'reserved' &&
    address.account_id === operation.accountId &&
    address.family === familyOfResource(operation.resourceType)
  );
}
