import type { Compilable, Updateable } from 'kysely';
import type { Fence } from '../../domain/decision.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { ActionStatus, AddressesTable } from '../schema.ts';
import { statement } from '../statement.ts';
import { joinQueries, type RowsOf, rowsOfEach, writeTogether } from '../together.ts';
import { reasonForNoFence } from './errors.ts';
import { hostCommandQueries, type Move, moveCommands } from './host-command-writes.ts';
import {
  type AddressRow,
  addressQuery,
  type DropletPlace,
  effectiveTime,
  type LockedAddress,
  nextGeneration,
  type PlaceColumns,
  toLockedAddress,
  toPlace,
} from './locks.ts';

/*
 * What the later steps of an operation write, each guarded by the fences that its admission has taken.
 */

/** An action as the later steps of its operation need it. */
export interface OperationAction {
  id: number;
  status: ActionStatus;
  dropletId: number | null;
  /** Where its droplet is; destroyed ones too, since a host may still announce them. */
  place: DropletPlace | null;
}

/** An address that an operation changes, under its lock, with the action of it. */
export interface FencedAddress {
  address: LockedAddress;
  action: OperationAction;
}

interface ActionRow extends PlaceColumns {
  id: number;
  status: ActionStatus;
  dropletId: number | null;
}

/** Locks the addresses of an admitted operation and reads its actions under these locks. They exist. */
export async function lockFenced(tx: DatabaseTransaction, fences: readonly Fence[]): Promise<FencedAddress[]> {
  const queries = fences.flatMap(({ address, actionId }) => [addressQuery(address), actionQuery(actionId)]);
  const { rows } = await tx.executeQuery(joinQueries(queries));
  return fences.map(({ address: text, actionId }, index) => {
    const found = rowsOfEach<[Compilable<AddressRow>, Compilable<ActionRow>]>(rows.slice(2 * index, 2 * index + 2));
    return fencedAddress(found, text, actionId);
  });
}

function fencedAddress(
  [[row], [action]]: RowsOf<[Compilable<AddressRow>, Compilable<ActionRow>]>,
  text: string,
  actionId: number,
): FencedAddress {
  const address = toLockedAddress(row);
  if (!address || !action) throw new Error(`action ${actionId} on ${text} was admitted but is not there`);
  const { id, status, dropletId } = action;
  return { address, action: { id, status, dropletId, place: dropletId === null ? null : toPlace(dropletId, action) } };
}

function actionQuery(actionId: number): Compilable<ActionRow> {
  return statement<ActionRow>`
    SELECT actions.id, actions.status, actions.droplet_id AS dropletId, droplets.host_id, droplets.anchor,
           hosts.name AS host, hosts.state AS host_state
    FROM actions LEFT JOIN droplets ON droplets.id = actions.droplet_id LEFT JOIN hosts ON hosts.id = droplets.host_id
    WHERE actions.id = ${actionId}`;
}

/** Whether an undo was carried out before. Throws a {@link FinalStepError} when the action has no fence to undo under. */
export function isUndone({ address, action }: FencedAddress): boolean {
  if (address.pendingActionId === action.id) return false;
  if (action.status === 'errored') return true;
  throw reasonForNoFence(action, address.lastActionId);
}

/** What a step writes of an address, and how the address moves for its hosts. */
export interface FencedChange extends FencedAddress {
  changes: Updateable<AddressesTable>;
  move: Move;
}

/**
 * Writes the rows under new generations, gives the fences up and ends the actions as errored, with `reason` for
 * operators. Throws a {@link FinalStepError} when one of the actions does not hold its fence.
 */
export async function endAsErrored(
  tx: DatabaseTransaction,
  operationId: OperationId,
  changed: readonly FencedChange[],
  reason: string,
): Promise<void> {
  await writeFenced(tx, operationId, changed, ({ address, action, changes }) => [
    tx
      .updateTable('addresses')
      .set({ ...changes, generation: nextGeneration(address), pending_action_id: null })
      .where('id', '=', address.id)
      .where('pending_action_id', '=', action.id),
    tx
      .updateTable('actions')
      .set({ status: 'errored', completed_at: effectiveTime(address), reason: reason.slice(0, 1024) })
      .where('id', '=', action.id),
  ]);
}

/**
 * Puts errored and undone actions back to `in-progress` and takes their fences again, under new generations. Throws a
 * {@link FinalStepError} when an address has gone on to another action since.
 */
export async function takeFencesAgain(
  tx: DatabaseTransaction,
  operationId: OperationId,
  changed: readonly FencedChange[],
): Promise<void> {
  await writeFenced(tx, operationId, changed, ({ address, action, changes }) => [
    tx
      .updateTable('addresses')
      .set({ ...changes, pending_action_id: action.id, generation: nextGeneration(address) })
      .where('id', '=', address.id)
      .where('pending_action_id', 'is', null),
    tx
      .updateTable('actions')
      .set({ status: 'in-progress', completed_at: null, reason: null })
      .where('id', '=', action.id),
  ]);
}

/** `writesOf` answers the guarded write of the address first. */
async function writeFenced(
  tx: DatabaseTransaction,
  operationId: OperationId,
  changed: readonly FencedChange[],
  writesOf: (change: FencedChange) => [Compilable, Compilable],
): Promise<void> {
  const commands = changed.flatMap(({ address, move }) =>
    moveCommands(operationId, address, nextGeneration(address), move),
  );
  const written = await writeTogether(tx, [...changed.flatMap(writesOf), ...hostCommandQueries(commands)]);
  changed.forEach(({ address, action }, index) => {
    if (written[2 * index] !== 1) throw reasonForNoFence(action, address.lastActionId);
  });
}
