import type { Updateable } from 'kysely';
import type { DatabaseTransaction } from '../database.ts';
import type { AddressesTable } from '../schema.ts';
import { type ActionRecord, SupersededError, takeFence } from './fence.ts';
import type { LockedAddress } from './records.ts';

/**
 * Puts an errored and undone action back to `in-progress` and takes its fence again; answers the new generation.
 * Throws {@link SupersededError} when the address has gone on to another action since, or is no longer reserved.
 */
export async function reopenAction(
  tx: DatabaseTransaction,
  address: LockedAddress,
  action: ActionRecord,
  changes: Updateable<AddressesTable>,
): Promise<number> {
  const superseded = address.last_action_id !== action.id || address.state !== 'reserved';
  if (superseded || action.status !== 'errored') throw new SupersededError(action.id, address.last_action_id);
  const generation = await takeFence(tx, address, action.id, changes);
  await tx
    .updateTable('actions')
    .set({ status: 'in-progress', completed_at: null, reason: null })
    .where('id', '=', action.id)
    .execute();
  return generation;
}
