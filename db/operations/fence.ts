import type { Compilable, Updateable } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { AddressOperation, Operation } from '../../domain/operation.ts';
import { queryLimit } from '../bounded.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import type { ActionStatus, ActionType, AddressesTable } from '../schema.ts';
import { writeTogether } from '../together.ts';
import { effectiveTime, type LockedAddress } from './records.ts';

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

/** How an address stands with the account of an operation, as of now and without a lock. */
export async function readStanding(
  db: Database,
  { address, accountId }: AddressOperation,
): Promise<'idle' | 'fenced' | 'foreign'> {
  const row = await db
    .selectFrom('addresses')
    .select('pending_action_id')
    .where('address', '=', addressToBytes(address))
    .where('account_id', '=', accountId)
    .where('state', '=', 'reserved')
    .executeTakeFirst(queryLimit());
  if (!row) return 'foreign';
  return row.pending_action_id === null ? 'idle' : 'fenced';
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

/** The write that takes the fence of a locked address and raises its generation. */
export function takingFence(
  tx: DatabaseTransaction,
  address: LockedAddress,
  actionId: number,
  changes: Updateable<AddressesTable> = {},
): Compilable {
  return tx
    .updateTable('addresses')
    .set({ ...changes, pending_action_id: actionId, last_action_id: actionId, generation: address.generation + 1 })
    .where('id', '=', address.id)
    .where('pending_action_id', 'is', null);
}

/** How an action ends; `reason` is what operators read on an errored one. */
export interface ActionEnd {
  status: 'completed' | 'errored';
  at: Date;
  reason?: string;
}

/**
 * Writes the row, lets go of the fence and ends the action, with whatever else is to be written. Throws
 * {@link SupersededError} when this action does not hold the fence.
 */
export async function endOperation(
  tx: DatabaseTransaction,
  address: LockedAddress,
  actionId: number,
  end: ActionEnd,
  changes: Updateable<AddressesTable>,
  furtherWrites: Compilable[] = [],
): Promise<void> {
  const [released] = await writeTogether(tx, [
    tx
      .updateTable('addresses')
      .set({ ...changes, pending_action_id: null })
      .where('id', '=', address.id)
      .where('pending_action_id', '=', actionId),
    tx
      .updateTable('actions')
      .set({ status: end.status, completed_at: end.at, reason: end.reason?.slice(0, 1024) ?? null })
      .where('id', '=', actionId),
    ...furtherWrites,
  ]);
  if (released !== 1) throw new SupersededError(actionId, address.last_action_id);
}
