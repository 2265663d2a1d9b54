import type { Compilable } from 'kysely';
import { type Address, addressFromBytes, addressToBytes, type IpVersion } from '../../domain/address.ts';
import type { AddressFacts, DropletFacts, Occupant } from '../../domain/rules.ts';
import type { RegionRecord } from '../regions.ts';
import type { AddressState, HostState } from '../schema.ts';
import { statement } from '../statement.ts';

/*
 * The reads that operations are decided by, and what they find. Those of a row that is about to be written lock it.
 * Written out in SQL, because the query builder would be a good part of the cost of an admission.
 */

/** Where a droplet runs. Its anchor is the IPv4 one, from which that of each family follows. */
export interface DropletPlace {
  id: number;
  hostId: number;
  host: string;
  hostState: HostState;
  anchor: Address;
}

/** An address row under its lock, with the time on the database's clock. */
export interface LockedAddress extends AddressFacts {
  id: number;
  region: RegionRecord;
  /** Where the droplet is that the address is on. */
  place: DropletPlace | null;
  targetDropletId: number | null;
  generation: number;
  lastActionId: number | null;
  changedAt: Date;
  now: Date;
}

/** A droplet under its lock, so that no second address can be sent to it meanwhile. */
export type LockedDroplet = DropletFacts & DropletPlace;

/** Where a droplet runs, as queries find it; null in all of them when there is no droplet. */
export interface PlaceColumns {
  host_id: number | null;
  host: string | null;
  host_state: HostState | null;
  anchor: Buffer | null;
}

/** A row of {@link addressQuery}. */
export interface AddressRow extends PlaceColumns {
  id: number;
  address: Buffer;
  family: number;
  region_id: number;
  region_slug: string;
  region_name: string;
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

/** A row of {@link dropletQuery}. */
export interface DropletRow extends PlaceColumns {
  id: number;
  account_id: number;
  region_id: number;
  deleted_at: Date | null;
}

/** A row of {@link occupantsQuery}. */
export interface OccupantRow {
  address: Buffer;
  family: number;
  pending_action_id: number | null;
  destroys_droplet_id: number | null;
}

// Scalar subqueries, because FOR UPDATE would lock the rows of a joined table too.
const ADDRESS_COLUMNS = statement`
  addresses.id, addresses.address, addresses.family, addresses.region_id, addresses.state, addresses.account_id,
  addresses.droplet_id, addresses.target_droplet_id, addresses.generation, addresses.pending_action_id,
  addresses.last_action_id, addresses.changed_at, NOW(3) AS now,
  (SELECT slug FROM regions WHERE regions.id = addresses.region_id) AS region_slug,
  (SELECT name FROM regions WHERE regions.id = addresses.region_id) AS region_name,
  (SELECT host_id FROM droplets WHERE droplets.id = addresses.droplet_id) AS host_id,
  (SELECT anchor FROM droplets WHERE droplets.id = addresses.droplet_id) AS anchor,
  (SELECT hosts.name FROM droplets JOIN hosts ON hosts.id = droplets.host_id
   WHERE droplets.id = addresses.droplet_id) AS host,
  (SELECT hosts.state FROM droplets JOIN hosts ON hosts.id = droplets.host_id
   WHERE droplets.id = addresses.droplet_id) AS host_state`;

/** Locks the row of an address. */
export function addressQuery(address: Address): Compilable<AddressRow> {
  const bytes = addressToBytes(address);
  return statement<AddressRow>`SELECT ${ADDRESS_COLUMNS} FROM addresses WHERE address = ${bytes} FOR UPDATE`;
}

/** Locks the free address that has rested longest, and passes over those that others are taking. */
export function freeAddressQuery({
  region,
  dropletId,
  ipVersion,
}: {
  region: string | null;
  dropletId: number | null;
  ipVersion: IpVersion;
}): Compilable<AddressRow> {
  return statement<AddressRow>`
    SELECT ${ADDRESS_COLUMNS} FROM addresses
    WHERE region_id = COALESCE((SELECT id FROM regions WHERE slug = ${region}),
                               (SELECT region_id FROM droplets WHERE id = ${dropletId}))
      AND family = ${ipVersion} AND state = 'free' AND available_at <= NOW(3)
    ORDER BY available_at LIMIT 1
    FOR UPDATE SKIP LOCKED`;
}

const DROPLET_COLUMNS = statement`
  droplets.id, droplets.account_id, droplets.region_id, droplets.host_id, droplets.anchor, droplets.deleted_at,
  (SELECT name FROM hosts WHERE hosts.id = droplets.host_id) AS host,
  (SELECT state FROM hosts WHERE hosts.id = droplets.host_id) AS host_state`;

/** Locks the row of a droplet; destroyed ones too. */
export function dropletQuery(dropletId: number | null): Compilable<DropletRow> {
  return statement<DropletRow>`SELECT ${DROPLET_COLUMNS} FROM droplets WHERE id = ${dropletId} FOR UPDATE`;
}

/**
 * Everything on a droplet and on its way to it. Under the droplet's lock nothing can come to it afterwards, so a droplet
 * whose occupants are all leaving may go.
 */
export function occupantsQuery(dropletId: number | null): Compilable<OccupantRow> {
  return statement<OccupantRow>`
    SELECT addresses.address, addresses.family, addresses.pending_action_id, operations.destroys_droplet_id
    FROM addresses
    LEFT JOIN actions ON actions.id = addresses.pending_action_id
    LEFT JOIN operations ON operations.id = actions.operation_id
    WHERE addresses.droplet_id = ${dropletId} OR addresses.target_droplet_id = ${dropletId}
    ORDER BY addresses.id`;
}

/** What {@link addressQuery} has found; null when no pool has the address. */
export function toLockedAddress(row: AddressRow | undefined): LockedAddress | null {
  if (!row) return null;
  return {
    id: row.id,
    address: addressFromBytes(row.address),
    ipVersion: row.family === 4 ? 4 : 6,
    regionId: row.region_id,
    region: { slug: row.region_slug, name: row.region_name },
    state: row.state,
    accountId: row.account_id,
    dropletId: row.droplet_id,
    place: row.droplet_id === null ? null : toPlace(row.droplet_id, row),
    targetDropletId: row.target_droplet_id,
    generation: row.generation,
    pendingActionId: row.pending_action_id,
    lastActionId: row.last_action_id,
    changedAt: row.changed_at,
    now: row.now,
  };
}

/** What {@link dropletQuery} and {@link occupantsQuery} have found; null when there is no such droplet. */
export function toLockedDroplet(row: DropletRow | undefined, occupants: readonly OccupantRow[]): LockedDroplet | null {
  const place = row ? toPlace(row.id, row) : null;
  if (!row || !place) return null;
  return {
    ...place,
    accountId: row.account_id,
    regionId: row.region_id,
    isDestroyed: row.deleted_at !== null,
    occupants: toOccupants(row.id, occupants),
  };
}

/** What {@link occupantsQuery} has found. */
export function toOccupants(dropletId: number, rows: readonly OccupantRow[]): Occupant[] {
  return rows.map((row) => ({
    address: addressFromBytes(row.address),
    ipVersion: row.family === 4 ? 4 : 6,
    state: row.pending_action_id === null ? 'held' : row.destroys_droplet_id === dropletId ? 'leaving' : 'pending',
  }));
}

/** What a query has found of where a droplet runs. */
export function toPlace(
  id: number,
  { host_id: hostId, host, host_state: hostState, anchor }: PlaceColumns,
): DropletPlace | null {
  if (hostId === null || host === null || hostState === null || anchor === null) return null;
  return { id, hostId, host, hostState, anchor: addressFromBytes(anchor) };
}

/** The generation that the next change raises an address to. */
export function nextGeneration({ generation }: LockedAddress): number {
  return generation + 1;
}

/** The time a change takes effect: now, but never before the address's previous change. */
export function effectiveTime({ now, changedAt }: LockedAddress): Date {
  return new Date(Math.max(now.getTime(), changedAt.getTime()));
}

/** The same while an operation is settled; the same whether it is evaluated before or after it is stored. */
export const SETTLED_AT = statement<Date>`GREATEST(NOW(3), addresses.changed_at)`;
