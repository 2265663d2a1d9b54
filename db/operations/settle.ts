import type { BillingChange } from '../../domain/billing.ts';
import type { Operation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { retryRolledBack } from '../retry.ts';
import type { OperationRules } from './admit.ts';
import { reopenAssign, settleAssign, undoAssign } from './assign.ts';
import { SupersededError } from './fence.ts';
import { settleRelease } from './release.ts';
import { reopenUnassign, settleUnassign, undoUnassign } from './unassign.ts';

/**
 * Makes the operation's change true, completes its action and lets go of the fence, in one transaction.
 * Answers what billing is to hear. Throws {@link SupersededError} when the fence is another's.
 */
export async function settle(
  db: Database,
  operation: Operation,
  admitted: Admitted,
  rules: OperationRules,
): Promise<BillingChange[]> {
  return inTransaction(db, (tx) => {
    switch (operation.kind) {
      case 'reserve':
      case 'assign':
        return settleAssign(tx, operation, admitted);
      case 'unassign':
        return settleUnassign(tx, operation, admitted);
      case 'release':
        return settleRelease(tx, admitted, rules.quarantineSeconds);
    }
  });
}

/**
 * Restores what was before the operation and ends its action as errored with `reason`.
 * A release is final and is never undone. Throws {@link SupersededError} when the fence is another's.
 */
export async function undo(db: Database, operation: Operation, admitted: Admitted, reason: string): Promise<void> {
  await inTransaction(db, async (tx) => {
    switch (operation.kind) {
      case 'reserve':
      case 'assign':
        return undoAssign(tx, operation, admitted, reason);
      case 'unassign':
        return undoUnassign(tx, operation, admitted, reason);
      case 'release':
        throw new SupersededError(admitted.actionId, null);
    }
  });
}

/**
 * Puts an errored and undone operation back in progress, for a run that an operator reset. Does nothing when it is in
 * progress already; throws {@link SupersededError} when the address has gone on since.
 */
export async function reopen(db: Database, operation: Operation, admitted: Admitted): Promise<void> {
  await inTransaction(db, async (tx) => {
    switch (operation.kind) {
      case 'reserve':
      case 'assign':
        return reopenAssign(tx, operation, admitted);
      case 'unassign':
        return reopenUnassign(tx, operation, admitted);
      case 'release':
        throw new SupersededError(admitted.actionId, null);
    }
  });
}

function inTransaction<Result>(db: Database, run: (tx: DatabaseTransaction) => Promise<Result>): Promise<Result> {
  return retryRolledBack(() => db.transaction().execute(run));
}
