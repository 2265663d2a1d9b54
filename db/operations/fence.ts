import { type Compilable, sql, type Updateable } from 'kysely';
import type { Admitted } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { ActionStatus, AddressesTable } from '../schema.ts';
import { readTogether, writeTogether } from '../together.ts';
import { nextGeneration } from './admission.ts';
import {
  addressQuery,
  type DropletPlace,
  dropletPlaceQuery,
  type LockedAddress,
  statement,
  toDropletPlace,
  toLockedAddress,
} from './locks.ts';

/*
 * What the later steps of an operation write, each guarded by the fence that its admission has taken.
 */

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

/** An action as the later steps of its operation need it. */
export interface OperationAction {
  id: number;
  status: ActionStatus;
  dropletId: number | null;
}

/** Locks the address of an admitted operation and reads its action under that lock. Both exist. */
export async function lockAdmitted(
  tx: DatabaseTransaction,
  { address: text, actionId }: Admitted,
): Promise<{ address: LockedAddress; action: OperationAction }> {
  const [[row], [action]] = await readTogether(tx, [
    addressQuery(tx, text),
    statement(tx, sql<OperationAction>`SELECT id, status, droplet_id AS dropletId FROM actions WHERE id = ${actionId}`),
  ]);
  const address = toLockedAddress(row);
  if (!address || !action) throw new Error(`action ${actionId} on ${text} was admitted but is not there`);
  return { address, action };
}

/** Where a droplet is, without a lock; destroyed ones too, since a host may still answer for them. */
export async function findPlace(tx: DatabaseTransaction, dropletId: number | null): Promise<DropletPlace | null> {
  if (dropletId === null) return null;
  const { rows } = await tx.executeQuery(dropletPlaceQuery(tx, dropletId));
  return toDropletPlace(rows[0]);
}

/** Whether an undo was carried out before. Throws {@link SupersededError} when the action has no fence to undo under. */
export function undoesNothing(address: LockedAddress, action: OperationAction): boolean {
  if (address.pendingActionId === action.id) return false;
  if (action.status === 'errored') return true;
  throw new SupersededError(action.id, address.lastActionId);
}

/** How an action ends; `reason` is what operators read on an errored one. */
export interface ActionEnd {
  status: 'completed' | 'errored';
  at: Date;
  reason?: string;
}

/**
 * Writes the row, gives the fence up and ends the action, with whatever else is to be written. Throws
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
  if (released !== 1) throw new SupersededError(actionId, address.lastActionId);
}

/**
 * Puts an errored and undone action back to `in-progress` and takes its fence again, under a new generation.
 * Throws {@link SupersededError} when the address has gone on to another action since, or is no longer reserved.
 */
export async function reopenAction(
  tx: DatabaseTransaction,
  address: LockedAddress,
  action: OperationAction,
  changes: Updateable<AddressesTable>,
  furtherWrites: Compilable[],
): Promise<void> {
  const superseded = address.lastActionId !== action.id || address.state !== 'reserved';
  if (superseded || action.status !== 'errored') throw new SupersededError(action.id, address.lastActionId);
  const [taken] = await writeTogether(tx, [
    tx
      .updateTable('addresses')
      .set({ ...changes, pending_action_id: action.id, generation: nextGeneration(address) })
      .where('id', '=', address.id)
      .where('pending_action_id', 'is', null),
    tx
      .updateTable('actions')
      .set({ status: 'in-progress', completed_at: null, reason: null })
      .where('id', '=', action.id),
    ...furtherWrites,
  ]);
  if (taken !== 1) throw new SupersededError(action.id, address.pendingActionId);
}
