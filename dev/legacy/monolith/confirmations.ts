import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import type { Database } from '../../../db/database.ts';
import type { AcknowledgmentOutcome } from '../../../domain/host-protocol.ts';
import { CONFIRMATIONS_EVERY_MS } from '../parameters.ts';

/** An action of the monolith whose host has answered. */
interface Confirmed {
  id: number;
  type: 'assign_ip' | 'unassign_ip';
  addressId: number;
  dropletId: number | null;
  outcome: AcknowledgmentOutcome;
}

/**
 * Ends the actions whose hosts have answered, until the signal. One whose host never answers stays in progress, and so
 * does one whose request ended in the middle.
 */
export async function endConfirmedActions(db: Database, logger: Logger, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for (const action of await listConfirmed(db)) await end(db, action);
    } catch (error) {
      logger.error({ err: error }, 'confirmations were not read');
    }
    await sleep(CONFIRMATIONS_EVERY_MS, null, { signal }).catch(() => {});
  }
}

/** An assign waits for its attach only; the host that it left may answer when it likes. */
async function listConfirmed(db: Database): Promise<Confirmed[]> {
  const { rows } = await sql<Confirmed>`
    SELECT actions.id, actions.type, actions.address_id AS addressId, actions.droplet_id AS dropletId, host_events.outcome
    FROM actions JOIN host_events ON host_events.operation_id = CONCAT('legacy/', actions.id)
    WHERE actions.status = 'in-progress' AND actions.operation_id IS NULL AND host_events.outcome IS NOT NULL
      AND host_events.\`change\` = IF(actions.type = 'assign_ip', 'attach', 'detach')`.execute(db);
  return rows;
}

async function end(db: Database, { id, type, addressId, dropletId, outcome }: Confirmed): Promise<void> {
  const done = outcome === 'applied' || (type === 'unassign_ip' && outcome === 'superseded');
  await db
    .updateTable('addresses')
    .set({
      ...(done && { droplet_id: type === 'assign_ip' ? dropletId : null, changed_at: sql<Date>`NOW(3)` }),
      target_droplet_id: null,
      pending_action_id: null,
    })
    .where('id', '=', addressId)
    .where('pending_action_id', '=', id)
    .execute();
  await db
    .updateTable('actions')
    .set({ status: done ? 'completed' : 'errored', completed_at: sql<Date>`NOW(3)` })
    .where('id', '=', id)
    .execute();
}
