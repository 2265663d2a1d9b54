import { type Expression, sql } from 'kysely';
import type { Address } from '../domain/address.ts';
import type { OperationId } from '../domain/identifiers.ts';
import type { DatabaseTransaction } from './database.ts';
import { occupantsQuery, toOccupants } from './operations/locks.ts';

/** Who changes which droplet. */
export interface DropletReference {
  accountId: number;
  dropletId: number;
}

const now = sql<Date>`NOW(3)`;

/** The action that an operation has already written, when its request is repeated; null when there is none. */
export async function findActionOfOperation(
  tx: DatabaseTransaction,
  operationId: OperationId | undefined,
): Promise<{ id: number; droplet_id: number | null } | null> {
  if (operationId === undefined) return null;
  const action = await tx
    .selectFrom('actions')
    .select(['id', 'droplet_id'])
    .where('operation_id', '=', operationId)
    .executeTakeFirst();
  return action ?? null;
}

/** Writes an action of a droplet that is over as soon as it has begun, and answers its number. */
export async function insertDropletAction(
  tx: DatabaseTransaction,
  action: {
    accountId: number;
    dropletId: number;
    regionId: number | Expression<number>;
    type: 'create' | 'rename';
    operationId: OperationId | undefined;
  },
): Promise<number> {
  const { insertId } = await tx
    .insertInto('actions')
    .values({
      operation_id: action.operationId ?? null,
      account_id: action.accountId,
      droplet_id: action.dropletId,
      region_id: action.regionId,
      type: action.type,
      resource_type: 'droplet',
      status: 'completed',
      started_at: now,
      completed_at: now,
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

function lockOwnDroplet(tx: DatabaseTransaction, { accountId, dropletId }: DropletReference) {
  return tx
    .selectFrom('droplets')
    .select(['id', 'region_id'])
    .where('id', '=', dropletId)
    .where('account_id', '=', accountId)
    .where('deleted_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

/** Gives a droplet another name and answers the number of the action; null when there is no such droplet. */
export async function renameDroplet(
  tx: DatabaseTransaction,
  droplet: DropletReference,
  name: string,
  operationId: OperationId | undefined,
): Promise<number | null> {
  const locked = await lockOwnDroplet(tx, droplet);
  if (!locked) return null;
  const earlier = await findActionOfOperation(tx, operationId);
  if (earlier) return earlier.id;
  await tx.updateTable('droplets').set({ name }).where('id', '=', locked.id).execute();
  return insertDropletAction(tx, { ...droplet, regionId: locked.region_id, type: 'rename', operationId });
}

/** The outcome of deleting a droplet; one that holds an address is left for the operation that takes it off. */
export type DropletDeletion =
  | { kind: 'deleted' }
  | { kind: 'not_found' }
  | { kind: 'pending' }
  | { kind: 'holds_address'; address: Address };

/** Deletes a droplet, unless an address is on it or on its way to it; one that is leaving for good is not in the way. */
export async function deleteDroplet(tx: DatabaseTransaction, droplet: DropletReference): Promise<DropletDeletion> {
  const locked = await lockOwnDroplet(tx, droplet);
  if (!locked) return { kind: 'not_found' };
  const { rows } = await tx.executeQuery(occupantsQuery(locked.id));
  const occupants = toOccupants(locked.id, rows);
  if (occupants.some(({ state }) => state === 'pending')) return { kind: 'pending' };
  const held = occupants.find(({ state }) => state === 'held');
  if (held) return { kind: 'holds_address', address: held.address };
  await tx.updateTable('droplets').set({ deleted_at: now }).where('id', '=', locked.id).execute();
  return { kind: 'deleted' };
}
