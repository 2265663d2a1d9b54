import { type Address, addressFromBytes, addressToBytes, type IpVersion, ipVersionOf } from '../domain/address.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';
import { type DropletRecord, findDropletsById } from './droplets.ts';
import { type Page, type PageRequest, readPage } from './pages.ts';
import type { RegionRecord } from './regions.ts';

/** A reserved address as its owner sees it. */
export interface ReservedIpRecord {
  address: Address;
  region: RegionRecord;
  droplet: DropletRecord | null;
  /** An action is pending on it. */
  locked: boolean;
  projectId: string;
  reservedAt: Date;
}

/** Whose addresses of which family are meant. */
export interface ReservedIpFilter {
  accountId: number;
  ipVersion: IpVersion;
}

/** A project that was not named is the account's own, which goes by the account's UUID. */
function selectReservedIps(db: Database, { accountId, ipVersion }: ReservedIpFilter) {
  return db
    .selectFrom('addresses')
    .innerJoin('regions', 'regions.id', 'addresses.region_id')
    .innerJoin('accounts', 'accounts.id', 'addresses.account_id')
    .where('addresses.account_id', '=', accountId)
    .where('addresses.state', '=', 'reserved')
    .where('addresses.family', '=', ipVersion)
    .select(({ fn }) => [
      'addresses.address',
      'addresses.droplet_id',
      'addresses.pending_action_id',
      'regions.slug as region_slug',
      'regions.name as region_name',
      fn.coalesce('addresses.project_id', 'accounts.uuid').as('project_id'),
      fn.coalesce('addresses.reserved_at', 'addresses.changed_at').as('reserved_at'),
    ]);
}

type ReservedIpRow = Awaited<ReturnType<ReturnType<typeof selectReservedIps>['executeTakeFirstOrThrow']>>;

async function toRecords(db: Database, rows: ReservedIpRow[]): Promise<ReservedIpRecord[]> {
  const dropletIds = rows.map((row) => row.droplet_id).filter((id) => id !== null);
  const droplets = await findDropletsById(db, dropletIds);
  return rows.map((row) => {
    const droplet = row.droplet_id === null ? null : (droplets.get(row.droplet_id) ?? null);
    return {
      address: addressFromBytes(row.address),
      region: { slug: row.region_slug, name: row.region_name },
      droplet,
      // A droplet that was destroyed between the two reads is being let go of.
      locked: row.pending_action_id !== null || (row.droplet_id !== null && droplet === null),
      projectId: row.project_id,
      reservedAt: row.reserved_at,
    };
  });
}

/** The account's reserved addresses of a family, oldest row first. */
export function listReservedIps(
  db: Database,
  filter: ReservedIpFilter,
  request: PageRequest,
): Promise<Page<ReservedIpRecord>> {
  const count = async () => {
    const { total } = await db
      .selectFrom('addresses')
      .where('account_id', '=', filter.accountId)
      .where('state', '=', 'reserved')
      .where('family', '=', filter.ipVersion)
      .select(({ fn }) => fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow(queryLimit());
    return total;
  };
  const read = async (limit: number, offset: number) => {
    const rows = await selectReservedIps(db, filter)
      .orderBy('addresses.id')
      .limit(limit)
      .offset(offset)
      .execute(queryLimit());
    return toRecords(db, rows);
  };
  return readPage(request, count, read);
}

/** What is known of a reservation that was made. */
export interface NewReservation {
  accountId: number;
  address: Address;
  region: string;
  locked: boolean;
  projectId: string | null;
  reservedAt: Date;
}

/** A reservation as it was made, whatever has become of the address since. */
export async function describeReservation(db: Database, reservation: NewReservation): Promise<ReservedIpRecord> {
  const { accountId, address, region, locked, projectId, reservedAt } = reservation;
  const { uuid, ...regionRecord } = await db
    .selectFrom('regions')
    .innerJoin('accounts', (join) => join.on('accounts.id', '=', accountId))
    .select(['regions.slug', 'regions.name', 'accounts.uuid'])
    .where('regions.slug', '=', region)
    .executeTakeFirstOrThrow(queryLimit());
  return { address, region: regionRecord, droplet: null, locked, projectId: projectId ?? uuid, reservedAt };
}

/** One of the account's reserved addresses. One that is being given back is nobody's any more. */
export async function findReservedIp(
  db: Database,
  accountId: number,
  address: Address,
): Promise<ReservedIpRecord | null> {
  const row = await selectReservedIps(db, { accountId, ipVersion: ipVersionOf(address) })
    .where('addresses.address', '=', addressToBytes(address))
    .executeTakeFirst(queryLimit());
  if (!row) return null;
  const [record] = await toRecords(db, [row]);
  return record ?? null;
}

/** Row number of one of the account's reserved addresses. */
export async function findAddressId(db: Database, accountId: number, address: Address): Promise<number | null> {
  const row = await db
    .selectFrom('addresses')
    .select('id')
    .where('address', '=', addressToBytes(address))
    .where('account_id', '=', accountId)
    .where('state', '=', 'reserved')
    .executeTakeFirst(queryLimit());
  return row?.id ?? null;
}
