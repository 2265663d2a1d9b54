import { sql } from 'kysely';
import { ACTION_TYPES, type ActionType, actionTypesThat } from '../domain/action-types.ts';
import { type Address, addressFromBytes } from '../domain/address.ts';
import type { Database } from './database.ts';
import type { ActionStatus } from './schema.ts';

/*
 * What the audit compares with Temporal and Kafka: operations that are open, and changes that have settled. All is read
 * in pages, so that an audit of a large system takes long and not much.
 */

/** Rows of one page. */
const PAGE_ROWS = 500;

/** An operation that holds a fence, and the workflow that must be open for it. */
export interface OpenOperation {
  addressId: number;
  address: Address;
  actionId: number;
  operationId: string;
  workflowId: string;
  /** It is in the outbox, so its workflow need not be open yet. */
  waitsForStart: boolean;
}

/** Every operation that holds a fence, in pages, the oldest first. */
export async function* openOperations(db: Database): AsyncGenerator<OpenOperation[]> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('addresses')
      .innerJoin('actions', 'actions.id', 'addresses.pending_action_id')
      .innerJoin('operations', 'operations.id', 'actions.operation_id')
      .leftJoin('outbox', 'outbox.operation_id', 'operations.id')
      .select([
        'addresses.id as addressId',
        'addresses.address',
        'actions.id as actionId',
        'operations.id as operationId',
        'operations.workflow_id as workflowId',
        'outbox.operation_id as waiting',
      ])
      .where('addresses.pending_action_id', '>', after)
      .orderBy('addresses.pending_action_id')
      .limit(PAGE_ROWS)
      .execute();
    yield rows.map(({ address, waiting, ...row }) => ({
      ...row,
      address: addressFromBytes(address),
      waitsForStart: waiting !== null,
    }));
    const last = rows.at(-1);
    if (!last || rows.length < PAGE_ROWS) return;
    after = last.actionId;
  }
}

/** Whether an action still holds the fence of its address. */
export async function holdsFence(db: Database, actionId: number): Promise<boolean> {
  const row = await db
    .selectFrom('addresses')
    .select('id')
    .where('pending_action_id', '=', actionId)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether the row of an admitted operation is there, from which it can be started again. */
export async function isKnown(db: Database, operationId: string): Promise<boolean> {
  const row = await db.selectFrom('operations').select('id').where('id', '=', operationId).executeTakeFirst();
  return row !== undefined;
}

/** The database's time, by which actions end. */
export async function databaseTime(db: Database): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`SELECT NOW(3) AS now`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('the database did not tell the time');
  return row.now;
}

/** An action that has ended. */
export interface EndedAction {
  id: number;
  operationId: string | null;
  addressId: number | null;
  type: ActionType;
  status: ActionStatus;
  endedAt: Date;
}

/** Actions that ended at `since` or later, in pages. */
export async function* actionsEndedSince(db: Database, since: Date): AsyncGenerator<EndedAction[]> {
  for (let from = { at: since, id: 0 }; ; ) {
    const { at, id } = from;
    const rows = await db
      .selectFrom('actions')
      .select(['id', 'operation_id as operationId', 'address_id as addressId', 'type', 'status', 'completed_at'])
      .where((where) =>
        where.or([where('completed_at', '>', at), where.and([where('completed_at', '=', at), where('id', '>', id)])]),
      )
      .orderBy('completed_at')
      .orderBy('id')
      .limit(PAGE_ROWS)
      .execute();
    yield rows.flatMap(({ completed_at, ...row }) => (completed_at ? [{ ...row, endedAt: completed_at }] : []));
    const last = rows.at(-1);
    if (!last?.completed_at || rows.length < PAGE_ROWS) return;
    from = { at: last.completed_at, id: last.id };
  }
}

/** A change that billing must have heard of exactly once. */
export interface BillableAction {
  actionId: number;
  accountId: number;
  address: Address;
  type: ActionType;
  status: ActionStatus;
  /** When it took effect: a release when it was admitted, everything else when it was settled. */
  effectiveAt: Date;
}

const EFFECTIVE_AT_START = actionTypesThat(({ takesEffect }) => takesEffect === 'at its start');

/** Every action of this stack that has changed what is billed. */
export async function listBillableActions(db: Database): Promise<BillableAction[]> {
  const rows = await db
    .selectFrom('actions')
    .select(['id as actionId', 'account_id as accountId', 'address', 'type', 'status', 'started_at', 'completed_at'])
    .where('address', 'is not', null)
    .where('operation_id', 'is not', null)
    .where((where) => where.or([where('status', '=', 'completed'), where('type', 'in', EFFECTIVE_AT_START)]))
    .orderBy('id')
    .execute();
  return rows.flatMap(({ address, started_at, completed_at, ...row }) => {
    const effectiveAt = ACTION_TYPES[row.type].takesEffect === 'at its start' ? started_at : completed_at;
    return address && effectiveAt ? [{ ...row, address: addressFromBytes(address), effectiveAt }] : [];
  });
}

/** The actions on addresses that another stack on the same database has done. */
export async function listForeignActionIds(db: Database): Promise<number[]> {
  const rows = await db
    .selectFrom('actions')
    .select('id')
    .where('address', 'is not', null)
    .where('operation_id', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}
