import { type Address, addressToBytes, type Family } from '../domain/address.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';
import type { RegionRecord } from './regions.ts';
import type { HostState } from './schema.ts';

/** What a request names; what it does not name is left out. */
export interface Named {
  accountId: number;
  /** The family that the request is about: addresses of the other one are not there for it. */
  family: Family;
  address?: Address;
  dropletId?: number;
  region?: string;
}

/** Where one of the account's addresses stands. */
export interface AddressFacts {
  id: number;
  regionId: number;
  region: RegionRecord;
  dropletId: number | null;
  pending: boolean;
}

/** Where one of the account's droplets stands. */
export interface DropletFacts {
  id: number;
  regionId: number;
  region: RegionRecord;
  hostState: HostState;
  /** What stands in the way of another address of the family. */
  occupation: 'free' | 'pending' | 'held';
}

/** Each is null when the request did not name it, or when the account has none such. */
export interface OperationFacts {
  accountUuid: string;
  address: AddressFacts | null;
  droplet: DropletFacts | null;
  region: (RegionRecord & { id: number }) | null;
}

/**
 * Reads, in one query and without a lock, what can already refuse a request to change an address, so that it need not
 * become an operation. What this lets through is still decided by the operation's own transaction.
 */
export async function readOperationFacts(db: Database, named: Named): Promise<OperationFacts> {
  const address = named.address === undefined ? null : addressToBytes(named.address);
  const row = await db
    .selectFrom('accounts')
    .leftJoin('addresses', (join) =>
      join
        .on('addresses.address', '=', address)
        .on('addresses.family', '=', named.family)
        .on('addresses.state', '=', 'reserved')
        .onRef('addresses.account_id', '=', 'accounts.id'),
    )
    .leftJoin('regions as address_regions', 'address_regions.id', 'addresses.region_id')
    .leftJoin('droplets', (join) =>
      join
        .on('droplets.id', '=', named.dropletId ?? null)
        .on('droplets.deleted_at', 'is', null)
        .onRef('droplets.account_id', '=', 'accounts.id'),
    )
    .leftJoin('regions as droplet_regions', 'droplet_regions.id', 'droplets.region_id')
    .leftJoin('hosts', 'hosts.id', 'droplets.host_id')
    .leftJoin('addresses as held', (join) =>
      join.onRef('held.droplet_id', '=', 'droplets.id').on('held.family', '=', named.family),
    )
    .leftJoin('addresses as coming', (join) =>
      join.onRef('coming.target_droplet_id', '=', 'droplets.id').on('coming.family', '=', named.family),
    )
    .leftJoin('regions', (join) => join.on('regions.slug', '=', named.region ?? null))
    .select([
      'accounts.uuid',
      'addresses.id as address_id',
      'addresses.region_id as address_region_id',
      'address_regions.slug as address_region_slug',
      'address_regions.name as address_region_name',
      'addresses.droplet_id as address_droplet_id',
      'addresses.pending_action_id as address_pending_action_id',
      'droplets.id as droplet_id',
      'droplets.region_id as droplet_region_id',
      'droplet_regions.slug as droplet_region_slug',
      'droplet_regions.name as droplet_region_name',
      'hosts.state as host_state',
      'held.id as held',
      'held.pending_action_id as held_pending_action_id',
      'coming.id as coming',
      'regions.id as region_id',
      'regions.slug as region_slug',
      'regions.name as region_name',
    ])
    .where('accounts.id', '=', named.accountId)
    .executeTakeFirstOrThrow(queryLimit());
  return {
    accountUuid: row.uuid,
    address: toAddressFacts(row),
    droplet: toDropletFacts(row),
    region: toRegionFacts(row),
  };
}

interface RegionColumns {
  region_id: number | null;
  region_slug: string | null;
  region_name: string | null;
}

function toRegionFacts({ region_id: id, region_slug: slug, region_name: name }: RegionColumns) {
  return id === null || slug === null || name === null ? null : { id, slug, name };
}

interface AddressColumns {
  address_id: number | null;
  address_region_id: number | null;
  address_region_slug: string | null;
  address_region_name: string | null;
  address_droplet_id: number | null;
  address_pending_action_id: number | null;
}

function toAddressFacts(row: AddressColumns): AddressFacts | null {
  const { address_id: id, address_region_id: regionId, address_region_slug: slug, address_region_name: name } = row;
  if (id === null || regionId === null || slug === null || name === null) return null;
  return {
    id,
    regionId,
    region: { slug, name },
    dropletId: row.address_droplet_id,
    pending: row.address_pending_action_id !== null,
  };
}

interface DropletColumns {
  droplet_id: number | null;
  droplet_region_id: number | null;
  droplet_region_slug: string | null;
  droplet_region_name: string | null;
  host_state: HostState | null;
  held: number | null;
  held_pending_action_id: number | null;
  coming: number | null;
}

function toDropletFacts(row: DropletColumns): DropletFacts | null {
  const { droplet_id: id, droplet_region_id: regionId, droplet_region_slug: slug, droplet_region_name: name } = row;
  if (id === null || regionId === null || slug === null || name === null || row.host_state === null) return null;
  const pending = row.coming !== null || row.held_pending_action_id !== null;
  const occupation = pending ? 'pending' : row.held === null ? 'free' : 'held';
  return { id, regionId, region: { slug, name }, hostState: row.host_state, occupation };
}
