import { type Compilable, type RawBuilder, sql } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import type { BillingChange, BillingChangeKind } from '../../domain/billing.ts';
import { billingEventId } from '../../domain/names.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { Database } from '../database.ts';
import { retryRolledBack } from '../retry.ts';
import type { ActionStatus } from '../schema.ts';
import { joinQueries, rowsOfEach } from '../together.ts';
import { inTransaction } from '../transaction.ts';
import type { OperationRules } from './admission.ts';
import { reopenAssign, undoAssign } from './assign.ts';
import { SupersededError } from './fence.ts';
import { statement } from './locks.ts';
import { reopenUnassign, undoUnassign } from './unassign.ts';

/** The steps of a workflow may take longer than a customer's request, since nobody waits for them. */
const STEP_LIMITS = { limitMs: 8_000 };

/**
 * Makes the operation's change true, completes its action and gives the fence up, in one guarded statement. Answers what
 * billing is to hear; repeating it changes nothing and answers the same. Throws {@link SupersededError} when the fence is
 * another's.
 */
export async function settle(
  db: Database,
  operation: Operation,
  admitted: Admitted,
  rules: OperationRules,
): Promise<BillingChange[]> {
  const { actionId, address } = admitted;
  const settling = statement(
    db,
    sql`
      UPDATE addresses JOIN actions ON actions.id = addresses.pending_action_id
      SET ${changesOf(operation, rules)}, addresses.pending_action_id = NULL, addresses.changed_at = ${AT},
          actions.status = 'completed', actions.completed_at = ${AT}
      WHERE addresses.address = ${addressToBytes(address)} AND actions.id = ${actionId}`,
  );
  const settled = statement(
    db,
    sql`
      SELECT actions.status, actions.completed_at AS completedAt, actions.droplet_id AS dropletId,
             actions.previous_droplet_id AS previousDropletId, addresses.last_action_id AS lastActionId
      FROM actions JOIN addresses ON addresses.id = actions.address_id
      WHERE actions.id = ${actionId}`,
  );
  const query = joinQueries([settling, settled]);
  const limit = { signal: AbortSignal.timeout(STEP_LIMITS.limitMs) };
  const { rows } = await retryRolledBack(() => db.executeQuery(query, limit));
  const [, [action]] = rowsOfEach<[Compilable, Compilable<SettledAction>]>(rows);
  if (action?.status !== 'completed' || !action.completedAt) {
    throw new SupersededError(actionId, action?.lastActionId ?? null);
  }
  return billingOf(operation, admitted, action, action.completedAt);
}

interface SettledAction {
  status: ActionStatus;
  completedAt: Date | null;
  dropletId: number | null;
  previousDropletId: number | null;
  lastActionId: number | null;
}

/** Never before the address's previous change; the same whether it is evaluated before or after it is stored. */
const AT = sql<Date>`GREATEST(NOW(3), addresses.changed_at)`;

function changesOf(operation: Operation, { quarantineSeconds }: OperationRules): RawBuilder<unknown> {
  switch (operation.kind) {
    case 'reserve':
    case 'assign':
      return sql`addresses.droplet_id = actions.droplet_id, addresses.target_droplet_id = NULL`;
    case 'unassign':
      return sql`addresses.droplet_id = NULL`;
    case 'release':
      return sql`
        addresses.state = 'free', addresses.account_id = NULL, addresses.project_id = NULL,
        addresses.reserved_at = NULL, addresses.released_by = ${operation.accountId},
        addresses.available_at = ${AT} + INTERVAL ${quarantineSeconds} SECOND`;
  }
}

function billingOf(
  operation: Operation,
  { actionId, address, region }: Admitted,
  { dropletId, previousDropletId }: SettledAction,
  at: Date,
): BillingChange[] {
  const change = (kind: BillingChangeKind, droplet: number | null): BillingChange => ({
    eventId: billingEventId(actionId),
    kind,
    accountId: operation.accountId,
    address,
    region,
    dropletId: droplet,
    actionId,
    effectiveAt: at.toISOString(),
  });
  switch (operation.kind) {
    case 'reserve':
    case 'assign':
      return [change(previousDropletId === null ? 'assigned' : 'reassigned', dropletId)];
    case 'unassign':
      return [change('unassigned', null)];
    case 'release':
      return [];
  }
}

/**
 * Restores what was before the operation and ends its action as errored with `reason`.
 * A release is final and is never undone. Throws {@link SupersededError} when the fence is another's.
 */
export async function undo(db: Database, operation: Operation, admitted: Admitted, reason: string): Promise<void> {
  await inTransaction(
    db,
    async (tx) => {
      switch (operation.kind) {
        case 'reserve':
        case 'assign':
          return undoAssign(tx, operation, admitted, reason);
        case 'unassign':
          return undoUnassign(tx, operation, admitted, reason);
        case 'release':
          throw new SupersededError(admitted.actionId, null);
      }
    },
    STEP_LIMITS,
  );
}

/**
 * Puts an errored and undone operation back in progress, for a run that an operator reset. Does nothing when it is in
 * progress already; throws {@link SupersededError} when the address has gone on since.
 */
export async function reopen(db: Database, operation: Operation, admitted: Admitted): Promise<void> {
  await inTransaction(
    db,
    async (tx) => {
      switch (operation.kind) {
        case 'reserve':
        case 'assign':
          return reopenAssign(tx, operation, admitted);
        case 'unassign':
          return reopenUnassign(tx, operation, admitted);
        case 'release':
          throw new SupersededError(admitted.actionId, null);
      }
    },
    STEP_LIMITS,
  );
}
