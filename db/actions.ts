import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import { type Address, addressFromBytes } from '../domain/address.ts';
import type { ResourceType } from '../domain/operation.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';
import { type Page, type PageRequest, readPage } from './pages.ts';
import type { RegionRecord } from './regions.ts';
import type { ActionStatus, ActionType, Tables } from './schema.ts';

/** An action as its owner sees it. */
export interface ActionRecord {
  id: number;
  type: ActionType;
  status: ActionStatus;
  resourceType: ResourceType | 'droplet';
  address: Address | null;
  /** Row number of the address. */
  addressId: number | null;
  dropletId: number | null;
  region: RegionRecord;
  startedAt: Date;
  completedAt: Date | null;
}

/** Which of an account's actions are meant; `addressId` and `dropletId` narrow it down. */
export interface ActionFilter {
  accountId: number;
  addressId?: number;
  dropletId?: number;
}

function matches({ accountId, addressId, dropletId }: ActionFilter) {
  return (eb: ExpressionBuilder<Tables, 'actions'>): Expression<SqlBool> =>
    eb.and([
      eb('actions.account_id', '=', accountId),
      ...(addressId === undefined ? [] : [eb('actions.address_id', '=', addressId)]),
      ...(dropletId === undefined ? [] : [eb('actions.droplet_id', '=', dropletId)]),
    ]);
}

function selectActions(db: Database) {
  return db
    .selectFrom('actions')
    .innerJoin('regions', 'regions.id', 'actions.region_id')
    .select([
      'actions.id',
      'actions.type',
      'actions.status',
      'actions.resource_type',
      'actions.address',
      'actions.address_id',
      'actions.droplet_id',
      'actions.started_at',
      'actions.completed_at',
      'regions.slug as region_slug',
      'regions.name as region_name',
    ]);
}

type ActionRow = Awaited<ReturnType<ReturnType<typeof selectActions>['executeTakeFirstOrThrow']>>;

function toRecord(row: ActionRow): ActionRecord {
  return {
    id: row.id,
    type: row.type,
    status: row.status,
    resourceType: row.resource_type,
    address: row.address && addressFromBytes(row.address),
    addressId: row.address_id,
    dropletId: row.droplet_id,
    region: { slug: row.region_slug, name: row.region_name },
    startedAt: row.started_at,
    completedAt: row.completed_at,
  };
}

/** The account's actions, newest first. The page is cut from an index before any row is read. */
export function listActions(db: Database, filter: ActionFilter, request: PageRequest): Promise<Page<ActionRecord>> {
  const count = async () => {
    const { total } = await db
      .selectFrom('actions')
      .where(matches(filter))
      .select(({ fn }) => fn.countAll<number>().as('total'))
      .executeTakeFirstOrThrow(queryLimit());
    return total;
  };
  const read = async (limit: number, offset: number) => {
    const page = db
      .selectFrom('actions')
      .where(matches(filter))
      .select('actions.id')
      .orderBy('actions.id', 'desc')
      .limit(limit)
      .offset(offset)
      .as('page');
    const rows = await selectActions(db)
      .innerJoin(page, 'page.id', 'actions.id')
      .orderBy('actions.id', 'desc')
      .execute(queryLimit());
    return rows.map(toRecord);
  };
  return readPage(request, count, read);
}

/** One of the account's actions. */
export async function findAction(db: Database, filter: ActionFilter, actionId: number): Promise<ActionRecord | null> {
  const row = await selectActions(db)
    .where('actions.id', '=', actionId)
    .where(matches(filter))
    .executeTakeFirst(queryLimit());
  return row ? toRecord(row) : null;
}
