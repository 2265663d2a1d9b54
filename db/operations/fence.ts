import { sql, type Updateable } from 'kysely';
import { type Address, addressToBytes } from '../../domain/address.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { ActionStatus, ActionType, AddressesTable } from '../schema.ts';
import { effectiveTime, type LockedAddress, lockAddress } from './records.ts';

/**
 * The run is not, or no longer, the one that may write this address: another action has taken the fence, or the
 * action has ended the other way. Retrying does not help.
 */
export class SupersededError extends Error {
  readonly actionId: number;
  readonly supersededBy: number | null;

  constructor(actionId: number, supersededBy: number | null) {
    super(
      supersededBy === null
        ? `action ${actionId} has already ended and holds nothing to write`
        : `superseded by action ${supersededBy}`,
    );
    this.name = 'SupersededError';
    this.actionId = actionId;
    this.supersededBy = supersededBy;
  }
}

/** Whether an operation holds the fence of an address, as of now and without a lock. */
export async function isFenced(db: Database, address: Address): Promise<boolean> {
  const row = await db
    .selectFrom('addresses')
    .select('pending_action_id')
    .where('address', '=', addressToBytes(address))
    .executeTakeFirst();
  return row !== undefined && row.pending_action_id !== null;
}

/** What {@link insertAction} writes besides what the operation and the address say. */
export interface NewAction {
  type: ActionType;
  status: ActionStatus;
  dropletId: number | null;
  previousDropletId?: number | null;
}

/** Inserts the action row and answers its public number. */
export async function insertAction(
  tx: DatabaseTransaction,
  operation: Operation,
  address: LockedAddress,
  action: NewAction,
): Promise<number> {
  const time = effectiveTime(address);
  const { insertId } = await tx
    .insertInto('actions')
    .values({
      operation_id: operation.id,
      account_id: operation.accountId,
      address_id: address.id,
      address: addressToBytes(address.address),
      droplet_id: action.dropletId,
      previous_droplet_id: action.previousDropletId ?? null,
      region_id: address.region_id,
      type: action.type,
      resource_type: operation.resourceType,
      status: action.status,
      reason: null,
      started_at: time,
      completed_at: action.status === 'in-progress' ? null : time,
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

/** Takes the fence of a locked address and raises its generation; answers the new generation. */
export async function takeFence(
  tx: DatabaseTransaction,
  address: LockedAddress,
  actionId: number,
  changes: Updateable<AddressesTable> = {},
): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('addresses')
    .set({
      ...changes,
      pending_action_id: actionId,
      last_action_id: actionId,
      generation: sql<number>`generation + 1`,
    })
    .where('id', '=', address.id)
    .where('pending_action_id', 'is', null)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new SupersededError(actionId, address.pending_action_id);
  return address.generation + 1;
}

/** Writes the row and lets go of the fence; throws {@link SupersededError} when this action does not hold it. */
export async function releaseFence(
  tx: DatabaseTransaction,
  address: LockedAddress,
  actionId: number,
  changes: Updateable<AddressesTable>,
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('addresses')
    .set({ ...changes, pending_action_id: null })
    .where('id', '=', address.id)
    .where('pending_action_id', '=', actionId)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new SupersededError(actionId, address.pending_action_id);
}

/** An action as the later steps of its operation need it. */
export interface ActionRecord {
  id: number;
  status: ActionStatus;
  droplet_id: number | null;
  previous_droplet_id: number | null;
  completed_at: Date | null;
}

/** Reads an action inside the transaction that ends it. */
export async function findAction(tx: DatabaseTransaction, actionId: number): Promise<ActionRecord> {
  return tx
    .selectFrom('actions')
    .select(['id', 'status', 'droplet_id', 'previous_droplet_id', 'completed_at'])
    .where('id', '=', actionId)
    .executeTakeFirstOrThrow();
}

/** Ends an action; `reason` is what operators read on an errored one. */
export async function endAction(
  tx: DatabaseTransaction,
  actionId: number,
  end: { status: 'completed' | 'errored'; at: Date; reason?: string },
): Promise<void> {
  await tx
    .updateTable('actions')
    .set({ status: end.status, completed_at: end.at, reason: end.reason?.slice(0, 1024) ?? null })
    .where('id', '=', actionId)
    .execute();
}

/** Locks an address that an admitted operation named, which therefore exists. */
export async function lockAdmittedAddress(tx: DatabaseTransaction, address: string): Promise<LockedAddress> {
  const locked = await lockAddress(tx, address);
  if (!locked) throw new Error(`address ${address} was admitted but is in no pool`);
  return locked;
}
