import type { Compilable, Updateable } from 'kysely';
import type { DatabaseTransaction } from '../database.ts';
import type { AddressesTable } from '../schema.ts';
import { writeTogether } from '../together.ts';
import { SupersededError, takingFence } from './fence.ts';
import type { ActionRecord, LockedAddress } from './records.ts';

/**
 * Puts an errored and undone action back to `in-progress` and takes its fence again, under a new generation.
 * Throws {@link SupersededError} when the address has gone on to another action since, or is no longer reserved.
 */
export async function reopenAction(
  tx: DatabaseTransaction,
  address: LockedAddress,
  action: ActionRecord,
  changes: Updateable<AddressesTable>,
  furtherWrites: Compilable[],
): Promise<void> {
  const superseded = address.last_action_id !== action.id || address.state !== 'reserved';
  if (superseded || action.status !== 'errored') throw new SupersededError(action.id, address.last_action_id);
  const [taken] = await writeTogether(tx, [
    takingFence(tx, address, action.id, changes),
    tx
      .updateTable('actions')
      .set({ status: 'in-progress', completed_at: null, reason: null })
      .where('id', '=', action.id),
    ...furtherWrites,
  ]);
  if (taken !== 1) throw new SupersededError(action.id, address.pending_action_id);
}
