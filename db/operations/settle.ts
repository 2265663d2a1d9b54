import type { Compilable } from 'kysely';
import { addressToBytes } from '../../domain/address.ts';
import { fencesOf } from '../../domain/admitted.ts';
import type { BillingChange } from '../../domain/billing.ts';
import type { Admitted, Fence } from '../../domain/decision.ts';
import { billingEventId } from '../../domain/names.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Database } from '../database.ts';
import { LONGEST_TRANSACTION_MS } from '../raised-hosts.ts';
import { retryRolledBack } from '../retry.ts';
import type { ActionStatus } from '../schema.ts';
import { listOf, statement } from '../statement.ts';
import { joinQueries, rowsOfEach } from '../together.ts';
import { inTransaction } from '../transaction.ts';
import { reasonForNoFence } from './errors.ts';
import { lockFenced } from './fence.ts';
import { writesOf } from './kinds.ts';
import { SETTLED_AT } from './locks.ts';
import type { OperationRules } from './plan.ts';

/** The steps of a workflow may take longer than a customer's request, since nobody waits for them. */
export const STEP_LIMITS = { limitMs: LONGEST_TRANSACTION_MS };

/**
 * Makes the operation's change true, completes its actions and gives the fences up: of one address by one guarded
 * statement, of several in a transaction. Answers the changes to bill; repeating it changes nothing and answers the
 * same. Throws a {@link FinalStepError} when it does not hold its fences.
 */
export async function settle(
  db: Database,
  operation: Operation,
  admitted: Admitted,
  rules: OperationRules,
): Promise<BillingChange[]> {
  const fences = fencesOf(admitted);
  const settleQuery = statement`
    UPDATE addresses JOIN actions ON actions.id = addresses.pending_action_id
    SET ${writesOf(operation).settledColumns(operation, rules)}, addresses.pending_action_id = NULL, addresses.changed_at = ${SETTLED_AT},
        actions.status = 'completed', actions.completed_at = ${SETTLED_AT}
    WHERE ${heldBy(fences)}`;
  const settled = settledQuery(fences);
  if (fences.length === 1) {
    const query = joinQueries([settleQuery, settled]);
    const limit = { signal: AbortSignal.timeout(STEP_LIMITS.limitMs) };
    const { rows } = await retryRolledBack(() => db.executeQuery(query, limit));
    const [, actions] = rowsOfEach<[Compilable, Compilable<SettledAction>]>(rows);
    return billingOf(operation, admitted, actions);
  }
  // One of the addresses may go where another has been, and a droplet has one of each IP version at every moment.
  const leaveQuery = statement`
    UPDATE addresses JOIN actions ON actions.id = addresses.pending_action_id
    SET addresses.droplet_id = NULL
    WHERE ${heldBy(fences)}`;
  return inTransaction(
    db,
    async (tx) => {
      for (const { address, action } of await lockFenced(tx, fences)) {
        const mayWrite = address.pendingActionId === action.id || action.status === 'completed';
        if (!mayWrite) throw reasonForNoFence(action, address.lastActionId);
      }
      const { rows } = await tx.executeQuery(joinQueries([leaveQuery, settleQuery, settled]));
      const [, , actions] = rowsOfEach<[Compilable, Compilable, Compilable<SettledAction>]>(rows);
      return billingOf(operation, admitted, actions);
    },
    STEP_LIMITS,
  );
}

function heldBy(fences: readonly Fence[]) {
  const addresses = fences.map(({ address }) => addressToBytes(address));
  const actionIds = fences.map(({ actionId }) => actionId);
  return statement`addresses.address IN (${listOf(addresses)}) AND actions.id IN (${listOf(actionIds)})`;
}

interface SettledAction {
  id: number;
  status: ActionStatus;
  completedAt: Date | null;
  dropletId: number | null;
  previousDropletId: number | null;
  lastActionId: number | null;
}

function settledQuery(fences: readonly Fence[]): Compilable<SettledAction> {
  return statement<SettledAction>`
    SELECT actions.id, actions.status, actions.completed_at AS completedAt, actions.droplet_id AS dropletId,
           actions.previous_droplet_id AS previousDropletId, addresses.last_action_id AS lastActionId
    FROM actions JOIN addresses ON addresses.id = actions.address_id
    WHERE actions.id IN (${listOf(fences.map(({ actionId }) => actionId))})`;
}

function billingOf(operation: Operation, admitted: Admitted, actions: readonly SettledAction[]): BillingChange[] {
  const { accountId } = operation;
  return fencesOf(admitted).flatMap(({ actionId, address }) => {
    const action = actions.find(({ id }) => id === actionId);
    if (!action) throw new Error(`action ${actionId} on ${address} was admitted but is not there`);
    const { completedAt, lastActionId } = action;
    if (action.status !== 'completed' || !completedAt) throw reasonForNoFence(action, lastActionId);
    const change = writesOf(operation).billing(action);
    if (change === null) return [];
    const { kind, dropletId } = change;
    const effectiveAt = completedAt.toISOString();
    const { region } = admitted;
    return [{ eventId: billingEventId(actionId), kind, accountId, address, region, dropletId, actionId, effectiveAt }];
  });
}
