import { sql } from 'kysely';
import type { AcknowledgmentOutcome, HostChange } from '../../domain/host-event.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { Database } from '../database.ts';
import { retryRolledBack } from '../retry.ts';
import type { ActionStatus, HostState } from '../schema.ts';
import { writeTogether } from '../together.ts';
import { SupersededError } from './fence.ts';
import { issuingHostEvents } from './issue-host-event.ts';
import { findDroplet, lockAdmitted } from './records.ts';

/** Where a host stands with what an operation told it. */
export interface HostEventStanding {
  actionStatus: ActionStatus;
  /** The operation holds the fence of its address. */
  holdsFence: boolean;
  hostState: HostState;
  /** Newest answer of the host; null when it has not answered, or was not told. */
  outcome: AcknowledgmentOutcome | null;
  message: string | null;
}

/**
 * Reads, in one query, whether a host has answered an operation's event and whether the operation may go on.
 * Only an answer under the present generation counts: one from before an undo says nothing about now.
 */
export async function readHostEventStanding(
  db: Database,
  admitted: Admitted,
  host: string,
  change: HostChange,
): Promise<HostEventStanding> {
  const row = await db
    .selectFrom('actions')
    .innerJoin('addresses', 'addresses.id', 'actions.address_id')
    .innerJoin('hosts', (join) => join.on('hosts.name', '=', host))
    .leftJoin('host_events', (join) =>
      join
        .onRef('host_events.operation_id', '=', 'actions.operation_id')
        .onRef('host_events.host_id', '=', 'hosts.id')
        .onRef('host_events.generation', '=', 'addresses.generation')
        .on('host_events.change', '=', change),
    )
    .select([
      'actions.status as actionStatus',
      'hosts.state as hostState',
      'host_events.outcome',
      'host_events.message',
      sql<number>`(addresses.pending_action_id <=> actions.id)`.as('holdsFence'),
    ])
    .where('actions.id', '=', admitted.actionId)
    .orderBy(sql`host_events.outcome = 'applied'`, 'desc')
    .orderBy('host_events.sequence', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  return { ...row, holdsFence: row.holdsFence === 1 };
}

/**
 * Tells a host again, under the address's present generation. Throws {@link SupersededError} when the operation no
 * longer holds the fence.
 */
export async function reissueHostEvent(
  db: Database,
  operation: Operation,
  admitted: Admitted,
  hostName: string,
  change: HostChange,
): Promise<void> {
  await retryRolledBack(() =>
    db.transaction().execute(async (tx) => {
      const { address } = await lockAdmitted(tx, admitted);
      if (address.pending_action_id !== admitted.actionId) {
        throw new SupersededError(admitted.actionId, address.last_action_id);
      }
      const host = await tx
        .selectFrom('hosts')
        .select(['id', 'name'])
        .where('name', '=', hostName)
        .executeTakeFirstOrThrow();
      const dropletId = change === 'attach' ? address.target_droplet_id : null;
      const droplet = await findDroplet(tx, dropletId);
      const { generation } = address;
      const event = { operationId: operation.id, host, address, generation, change, droplet };
      await writeTogether(tx, issuingHostEvents(tx, [event]));
    }),
  );
}
