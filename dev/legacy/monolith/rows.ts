import { sql } from 'kysely';
import type { Database } from '../../../db/database.ts';
import type { ActionStatus, ActionType } from '../../../db/schema.ts';
import { addressFromBytes } from '../../../domain/address.ts';

/*
 * What the monolith reads of the shared tables: each by a statement of its own, without a transaction or a lock.
 */

/** An address that somebody holds. */
export interface AddressRow {
  id: number;
  ip: string;
  bytes: Buffer;
  accountId: number;
  projectId: string;
  region: { slug: string; name: string };
  regionId: number;
  dropletId: number | null;
  pendingActionId: number | null;
  generation: number;
}

function selectAddresses(db: Database, accountId: number) {
  return db
    .selectFrom('addresses')
    .innerJoin('regions', 'regions.id', 'addresses.region_id')
    .innerJoin('accounts', 'accounts.id', 'addresses.account_id')
    .select(({ fn }) => [
      'addresses.id',
      'addresses.address as bytes',
      'addresses.region_id as regionId',
      'addresses.droplet_id as dropletId',
      'addresses.pending_action_id as pendingActionId',
      'addresses.generation',
      'regions.slug',
      'regions.name',
      fn.coalesce('addresses.project_id', 'accounts.uuid').as('projectId'),
    ])
    .where('addresses.account_id', '=', accountId)
    .where('addresses.state', '=', 'reserved')
    .where('addresses.family', '=', 4);
}

type SelectedAddress = Awaited<ReturnType<ReturnType<typeof selectAddresses>['executeTakeFirstOrThrow']>>;

function toAddress({ slug, name, ...row }: SelectedAddress, accountId: number): AddressRow {
  return { ...row, accountId, ip: addressFromBytes(row.bytes), region: { slug, name } };
}

export async function findAddress(db: Database, accountId: number, bytes: Buffer): Promise<AddressRow | null> {
  const row = await selectAddresses(db, accountId).where('addresses.address', '=', bytes).executeTakeFirst();
  return row ? toAddress(row, accountId) : null;
}

export async function countAddresses(db: Database, accountId: number): Promise<number> {
  const { total } = await db
    .selectFrom('addresses')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where('account_id', '=', accountId)
    .where('state', '=', 'reserved')
    .where('family', '=', 4)
    .executeTakeFirstOrThrow();
  return total;
}

export async function listAddresses(
  db: Database,
  accountId: number,
  page: { page: number; perPage: number },
): Promise<AddressRow[]> {
  const rows = await selectAddresses(db, accountId)
    .orderBy('addresses.id')
    .limit(page.perPage)
    .offset((page.page - 1) * page.perPage)
    .execute();
  return rows.map((row) => toAddress(row, accountId));
}

/** Whether something is on a droplet, or on its way there. */
export async function occupationOf(db: Database, dropletId: number): Promise<'free' | 'pending' | 'held'> {
  const rows = await db
    .selectFrom('addresses')
    .select('pending_action_id')
    .where((where) => where.or([where('droplet_id', '=', dropletId), where('target_droplet_id', '=', dropletId)]))
    .where('family', '=', 4)
    .execute();
  if (rows.length === 0) return 'free';
  return rows.some((row) => row.pending_action_id !== null) ? 'pending' : 'held';
}

/** An address of the pool that nobody holds. */
export interface FreeAddress {
  id: number;
  bytes: Buffer;
  generation: number;
}

export async function findFreeAddress(db: Database, regionId: number): Promise<FreeAddress | null> {
  const row = await db
    .selectFrom('addresses')
    .select(['id', 'address as bytes', 'generation'])
    .where('region_id', '=', regionId)
    .where('family', '=', 4)
    .where('state', '=', 'free')
    .where('available_at', '<=', sql<Date>`NOW(3)`)
    .orderBy('available_at')
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function findRegion(
  db: Database,
  slug: string,
): Promise<{ id: number; slug: string; name: string } | null> {
  const row = await db.selectFrom('regions').select(['id', 'slug', 'name']).where('slug', '=', slug).executeTakeFirst();
  return row ?? null;
}

/** An action on an address. */
export interface ActionRow {
  id: number;
  type: ActionType;
  status: ActionStatus;
  bytes: Buffer;
  region: { slug: string; name: string };
  startedAt: Date;
  completedAt: Date | null;
}

function selectActions(db: Database, accountId: number, addressId: number) {
  return db
    .selectFrom('actions')
    .innerJoin('regions', 'regions.id', 'actions.region_id')
    .select([
      'actions.id',
      'actions.type',
      'actions.status',
      'actions.address as bytes',
      'actions.started_at as startedAt',
      'actions.completed_at as completedAt',
      'regions.slug',
      'regions.name',
    ])
    .where('actions.account_id', '=', accountId)
    .where('actions.address_id', '=', addressId);
}

type SelectedAction = Awaited<ReturnType<ReturnType<typeof selectActions>['executeTakeFirstOrThrow']>>;

function toAction({ slug, name, bytes, ...row }: SelectedAction): ActionRow {
  return { ...row, bytes: bytes ?? Buffer.alloc(4), region: { slug, name } };
}

export async function listActions(
  db: Database,
  address: AddressRow,
  page: { page: number; perPage: number },
): Promise<ActionRow[]> {
  const rows = await selectActions(db, address.accountId, address.id)
    .orderBy('actions.id', 'desc')
    .limit(page.perPage)
    .offset((page.page - 1) * page.perPage)
    .execute();
  return rows.map(toAction);
}

export async function countActions(db: Database, address: AddressRow): Promise<number> {
  const { total } = await db
    .selectFrom('actions')
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .where('account_id', '=', address.accountId)
    .where('address_id', '=', address.id)
    .executeTakeFirstOrThrow();
  return total;
}

export async function findAction(db: Database, address: AddressRow, id: number): Promise<ActionRow | null> {
  const row = await selectActions(db, address.accountId, address.id).where('actions.id', '=', id).executeTakeFirst();
  return row ? toAction(row) : null;
}
