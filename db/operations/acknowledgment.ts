import { sql } from 'kysely';
import { type Address, addressFromBytes } from '../../domain/address.ts';
import { fenceOf } from '../../domain/admitted.ts';
import type { Admitted, HostCommand } from '../../domain/decision.ts';
import type { AcknowledgmentOutcome, HostChange } from '../../domain/host-protocol.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import { queryLimit } from '../bounded.ts';
import type { Database } from '../database.ts';
import type { ActionStatus, HostState } from '../schema.ts';
import { writeTogether } from '../together.ts';
import { inTransaction } from '../transaction.ts';
import { reasonForNoFence } from './errors.ts';
import { lockFenced } from './fence.ts';
import { hostCommandQueries } from './host-command-writes.ts';

/** Where a host stands with what an operation told it. */
export interface HostCommandState {
  actionStatus: ActionStatus;
  /** The operation holds the fence of the address. */
  holdsFence: boolean;
  /** The newest action that ever held it. */
  lastActionId: number | null;
  hostState: HostState;
  /** Newest answer of the host; null when it has not answered, or was not told. */
  outcome: AcknowledgmentOutcome | null;
  message: string | null;
}

/**
 * Says that the operation waits for hosts in activities that must be told from now on. Whoever records an answer after
 * that tells them; what was recorded before is seen by {@link readHostCommandState} after it.
 */
export async function beginVisibleWait(db: Database, operationId: OperationId): Promise<void> {
  await db
    .updateTable('operations')
    .set({ visible_wait: 1 })
    .where('id', '=', operationId)
    .where('visible_wait', '=', 0)
    .execute(queryLimit());
}

/**
 * Reads, in one query, whether a host has answered an operation's command and whether the operation may go on.
 * Only an answer under the present generation counts: one from before an undo says nothing about now.
 */
export async function readHostCommandState(
  db: Database,
  admitted: Admitted,
  { host, change, address }: HostCommand,
): Promise<HostCommandState> {
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
      'addresses.last_action_id as lastActionId',
      sql<number>`(addresses.pending_action_id <=> actions.id)`.as('holdsFence'),
    ])
    .where('actions.id', '=', fenceOf(admitted, address).actionId)
    .orderBy(sql`host_events.outcome = 'applied'`, 'desc')
    .orderBy('host_events.sequence', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  return { ...row, holdsFence: row.holdsFence === 1 };
}

/** A host's answer to what an operation told it. */
export interface HostAnswer {
  operationId: OperationId;
  host: string;
  change: HostChange;
  address: Address;
  generation: number;
  outcome: AcknowledgmentOutcome;
}

/** What hosts have answered to any of these operations, in one query. */
export async function listHostAnswers(db: Database, operationIds: readonly OperationId[]): Promise<HostAnswer[]> {
  if (operationIds.length === 0) return [];
  const { rows } = await sql<Omit<HostAnswer, 'address'> & { address: Buffer }>`
    SELECT host_events.operation_id AS operationId, hosts.name AS host, host_events.\`change\`,
           host_events.address, host_events.generation, host_events.outcome
    FROM host_events JOIN hosts ON hosts.id = host_events.host_id
    WHERE host_events.operation_id IN (${sql.join(operationIds)}) AND host_events.outcome IS NOT NULL`.execute(
    db,
    queryLimit(),
  );
  return rows.map((row) => ({ ...row, address: addressFromBytes(row.address) }));
}

/**
 * Tells a host again, under the address's present generation. Throws a {@link FinalStepError} when the operation no
 * longer holds the fence.
 */
export async function reissueHostCommand(
  db: Database,
  admitted: Admitted,
  { host: hostName, change, address: text }: HostCommand,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (const { address, action } of await lockFenced(tx, [fenceOf(admitted, text)])) {
      if (address.pendingActionId !== action.id) throw reasonForNoFence(action, address.lastActionId);
      const host = await tx
        .selectFrom('hosts')
        .select(['id', 'name', 'state'])
        .where('name', '=', hostName)
        .executeTakeFirstOrThrow();
      const droplet = change === 'attach' ? action.place : null;
      const { generation } = address;
      const command = { operationId: admitted.operationId, host, address, generation, change, droplet };
      await writeTogether(tx, hostCommandQueries([command]));
    }
  });
}
