import { sql } from 'kysely';
import type { Database } from '../../../db/database.ts';
import type { ActionType } from '../../../db/schema.ts';
import { parseAddress } from '../../../domain/address.ts';
import type { HostChange } from '../../../domain/host-protocol.ts';
import type { PlacementAnswer } from '../services/contract.ts';
import { type ResourceName, singular } from './context.ts';

/*
 * What the monolith writes to the shared tables. Each statement is committed by itself.
 */

const NOW = sql<Date>`NOW(3)`;

/** An action to be noted. */
export interface NewAction {
  accountId: number;
  resourceName: ResourceName;
  type: ActionType;
  address: { id: number; bytes: Buffer };
  regionId: number;
  dropletId: number | null;
  /** Nothing has to be waited for. */
  done: boolean;
}

/** Notes an action; answers its number. It has no operation, by which the new upstream knows that it is another's. */
export async function insertAction(db: Database, action: NewAction): Promise<number> {
  const { insertId } = await db
    .insertInto('actions')
    .values({
      operation_id: null,
      account_id: action.accountId,
      address_id: action.address.id,
      address: action.address.bytes,
      droplet_id: action.dropletId,
      previous_droplet_id: null,
      region_id: action.regionId,
      type: action.type,
      resource_type: singular(action.resourceName),
      status: action.done ? 'completed' : 'in-progress',
      reason: null,
      started_at: NOW,
      completed_at: action.done ? NOW : null,
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

/** Gives a free address to an account, by what was read of it. */
export async function reserveRow(
  db: Database,
  free: { id: number; generation: number },
  values: { accountId: number; projectId: string | null; actionId: number; targetDropletId: number | null },
): Promise<void> {
  await db
    .updateTable('addresses')
    .set({
      state: 'reserved',
      account_id: values.accountId,
      project_id: values.projectId,
      reserved_at: NOW,
      changed_at: NOW,
      target_droplet_id: values.targetDropletId,
      pending_action_id: values.targetDropletId === null ? null : values.actionId,
      last_action_id: values.actionId,
      generation: free.generation + 1,
    })
    .where('id', '=', free.id)
    .execute();
}

/** Locks an address for an action, by what was read of it. */
export async function lockRow(
  db: Database,
  address: { id: number; accountId: number; generation: number },
  values: { actionId: number; targetDropletId: number | null },
): Promise<void> {
  await db
    .updateTable('addresses')
    .set({
      target_droplet_id: values.targetDropletId,
      pending_action_id: values.actionId,
      last_action_id: values.actionId,
      generation: address.generation + 1,
    })
    .where('id', '=', address.id)
    .where('account_id', '=', address.accountId)
    .execute();
}

/** Puts an address back into the pool, for the next to take it at once. */
export async function freeRow(
  db: Database,
  address: { id: number; accountId: number; generation: number },
  actionId: number,
): Promise<void> {
  await db
    .updateTable('addresses')
    .set({
      state: 'free',
      account_id: null,
      project_id: null,
      reserved_at: null,
      droplet_id: null,
      last_action_id: actionId,
      changed_at: NOW,
      available_at: NOW,
      generation: address.generation + 1,
    })
    .where('id', '=', address.id)
    .where('account_id', '=', address.accountId)
    .execute();
}

/** What a host is to be told. */
export interface NewHostCommand {
  actionId: number;
  address: { id: number; bytes: Buffer; generation: number };
  change: HostChange;
  placement: PlacementAnswer;
  /** Null for a detach. */
  dropletId: number | null;
}

/** The mark of an action's events, by which its answer is found. */
export function eventMark(actionId: number): string {
  return `legacy/${actionId}`;
}

/** Tells a host. The queue of a host is in order, so the number and the event go together. */
export async function insertHostCommand(db: Database, event: NewHostCommand): Promise<void> {
  const { placement, address } = event;
  await db.transaction().execute(async (tx) => {
    await tx
      .updateTable('hosts')
      .set({ last_sequence: sql<number>`LAST_INSERT_ID(last_sequence + 1)` })
      .where('id', '=', placement.host_id)
      .execute();
    await tx
      .insertInto('host_events')
      .values({
        host_id: placement.host_id,
        sequence: sql<number>`LAST_INSERT_ID()`,
        operation_id: eventMark(event.actionId),
        address_id: address.id,
        address: address.bytes,
        change: event.change,
        generation: address.generation + 1,
        droplet_id: event.dropletId,
        anchor: event.dropletId === null ? null : toBytes(placement.anchor),
        issued_at: NOW,
        acknowledged_at: null,
        outcome: null,
        message: null,
      })
      .execute();
  });
}

function toBytes(anchor: string): Buffer {
  const address = parseAddress(anchor);
  if (address === null) throw new Error(`the inventory placed a droplet at ${anchor}`);
  return Buffer.from(address.split('.').map(Number));
}
