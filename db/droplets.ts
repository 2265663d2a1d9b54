import { type Address, addressFromBytes } from '../domain/address.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';
import { type Page, type PageRequest, readPage } from './pages.ts';
import type { RegionRecord } from './regions.ts';

/** A droplet as its owner sees it. */
export interface DropletRecord {
  id: number;
  name: string;
  region: RegionRecord;
  size: string;
  image: string;
  memory: number;
  vcpus: number;
  disk: number;
  /** Its own address on its host, behind which a reserved IP is answered. */
  anchor: Address;
  anchorCidr: string;
  reservedIp: Address | null;
  reservedIpv6: Address | null;
  tags: string[];
  createdAt: Date;
}

/** Which of an account's droplets are meant. */
export interface DropletFilter {
  accountId: number;
  name?: string | undefined;
  tag?: string | undefined;
}

function selectDroplets(db: Database) {
  return selectAlsoDestroyed(db).where('droplets.deleted_at', 'is', null);
}

function selectAlsoDestroyed(db: Database) {
  return db
    .selectFrom('droplets')
    .innerJoin('regions', 'regions.id', 'droplets.region_id')
    .innerJoin('hosts', 'hosts.id', 'droplets.host_id')
    .leftJoin('addresses as held', (join) =>
      join.onRef('held.droplet_id', '=', 'droplets.id').on('held.family', '=', 4),
    )
    .leftJoin('addresses as held_ipv6', (join) =>
      join.onRef('held_ipv6.droplet_id', '=', 'droplets.id').on('held_ipv6.family', '=', 6),
    )
    .select([
      'droplets.id',
      'droplets.name',
      'droplets.size_slug',
      'droplets.image_slug',
      'droplets.memory',
      'droplets.vcpus',
      'droplets.disk',
      'droplets.anchor',
      'droplets.tags',
      'droplets.created_at',
      'regions.slug as region_slug',
      'regions.name as region_name',
      'hosts.anchor_cidr',
      'held.address as reserved_ip',
      'held_ipv6.address as reserved_ipv6',
    ]);
}

type DropletRow = Awaited<ReturnType<ReturnType<typeof selectDroplets>['executeTakeFirstOrThrow']>>;

function toRecord(row: DropletRow): DropletRecord {
  return {
    id: row.id,
    name: row.name,
    region: { slug: row.region_slug, name: row.region_name },
    size: row.size_slug,
    image: row.image_slug,
    memory: row.memory,
    vcpus: row.vcpus,
    disk: row.disk,
    anchor: addressFromBytes(row.anchor),
    anchorCidr: row.anchor_cidr,
    reservedIp: row.reserved_ip && addressFromBytes(row.reserved_ip),
    reservedIpv6: row.reserved_ipv6 && addressFromBytes(row.reserved_ipv6),
    tags: JSON.parse(row.tags),
    createdAt: row.created_at,
  };
}

/** The account's droplets, newest first. */
export function listDroplets(db: Database, filter: DropletFilter, request: PageRequest): Promise<Page<DropletRecord>> {
  const matching = db
    .selectFrom('droplets')
    .where('droplets.account_id', '=', filter.accountId)
    .where('droplets.deleted_at', 'is', null)
    .$if(filter.name !== undefined, (query) => query.where('droplets.name', '=', filter.name ?? ''))
    .$if(filter.tag !== undefined, (query) =>
      query.where(({ fn, val }) => fn<boolean>('JSON_CONTAINS', ['droplets.tags', val(JSON.stringify(filter.tag))])),
    );
  const count = async () => {
    const { total } = await matching
      .select(({ fn }) => fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow(queryLimit());
    return total;
  };
  const read = async (limit: number, offset: number) => {
    const page = matching.select('droplets.id').orderBy('droplets.id', 'desc').limit(limit).offset(offset).as('page');
    const rows = await selectDroplets(db)
      .innerJoin(page, 'page.id', 'droplets.id')
      .orderBy('droplets.id', 'desc')
      .execute(queryLimit());
    return rows.map(toRecord);
  };
  return readPage(request, count, read);
}

/** One of the account's droplets. */
export async function findDroplet(db: Database, accountId: number, dropletId: number): Promise<DropletRecord | null> {
  const row = await selectDroplets(db)
    .where('droplets.id', '=', dropletId)
    .where('droplets.account_id', '=', accountId)
    .executeTakeFirst(queryLimit());
  return row ? toRecord(row) : null;
}

/** A droplet that was made, for the answer to that, also when somebody has destroyed it since. */
export async function readCreatedDroplet(db: Database, dropletId: number): Promise<DropletRecord> {
  const row = await selectAlsoDestroyed(db).where('droplets.id', '=', dropletId).executeTakeFirstOrThrow(queryLimit());
  return toRecord(row);
}

/** The droplets with these numbers that exist, by number. */
export async function findDropletsById(db: Database, dropletIds: number[]): Promise<Map<number, DropletRecord>> {
  if (dropletIds.length === 0) return new Map();
  const rows = await selectDroplets(db).where('droplets.id', 'in', dropletIds).execute(queryLimit());
  return new Map(rows.map((row) => [row.id, toRecord(row)]));
}

/** Whether the account has a droplet with this number. */
export async function dropletExists(db: Database, accountId: number, dropletId: number): Promise<boolean> {
  const row = await db
    .selectFrom('droplets')
    .select('id')
    .where('id', '=', dropletId)
    .where('account_id', '=', accountId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst(queryLimit());
  return row !== undefined;
}
