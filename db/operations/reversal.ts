import { fencesOf } from '../../domain/admitted.ts';
import type { Admitted } from '../../domain/decision.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Database } from '../database.ts';
import { inTransaction } from '../transaction.ts';
import { NotReversibleError, reasonForNoFence } from './errors.ts';
import { endAsErrored, type FencedAddress, type FencedChange, isUndone, lockFenced, takeFencesAgain } from './fence.ts';
import type { Reversal } from './kind.ts';
import { writesOf } from './kinds.ts';
import { STEP_LIMITS } from './settle.ts';

/**
 * Restores what was before the operation and ends its actions as errored with `reason`. Throws a {@link FinalStepError}
 * when it does not hold its fences, or is of a kind that is final.
 */
export async function undo(db: Database, operation: Operation, admitted: Admitted, reason: string): Promise<void> {
  const reversal = reversalOf(operation, admitted);
  await inTransaction(
    db,
    async (tx) => {
      const all = await lockFenced(tx, fencesOf(admitted));
      const open = all.filter((fenced) => !isUndone(fenced));
      if (open.length === 0) return;
      const changed = open.map((fenced) => ({ ...fenced, ...reversal.undo(fenced) }));
      await endAsErrored(tx, operation.id, changed, reason);
    },
    STEP_LIMITS,
  );
}

/**
 * Puts an errored and undone operation back in progress, for a run that an operator reset. Does nothing when it is in
 * progress already. Throws a {@link FinalStepError} when the address has gone on since, when the operation cannot happen
 * any more, or when it is of a kind that is final.
 */
export async function reopen(db: Database, operation: Operation, admitted: Admitted): Promise<void> {
  const reversal = reversalOf(operation, admitted);
  await inTransaction(
    db,
    async (tx) => {
      const all = await lockFenced(tx, fencesOf(admitted));
      if (all.every(({ action }) => action.status === 'in-progress')) return;
      for (const fenced of all) assertMayReopen(fenced);
      const changed: FencedChange[] = [];
      for (const fenced of all) changed.push({ ...fenced, ...(await reversal.reopen(tx, fenced, all)) });
      await takeFencesAgain(tx, operation.id, changed);
    },
    STEP_LIMITS,
  );
}

function assertMayReopen({ address, action }: FencedAddress): void {
  const isLast = address.lastActionId === action.id && address.state === 'reserved';
  if (!isLast || action.status !== 'errored') throw reasonForNoFence(action, address.lastActionId);
}

function reversalOf(operation: Operation, { actionId }: Admitted): Reversal {
  const { reversal } = writesOf(operation);
  if (reversal === null) throw new NotReversibleError(actionId, operation.kind);
  return reversal;
}
