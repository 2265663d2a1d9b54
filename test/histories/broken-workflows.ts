import type { DecidedOperation, Outcome } from '../../domain/decision.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { carryOut } from '../../workflows/carry-out.ts';
import { bill, settle } from '../../workflows/steps.ts';

export { publishBillingEvent } from '../../workflows/billing.ts';
export { release } from '../../workflows/release.ts';
export { reserve } from '../../workflows/reserve.ts';
export { scheduledReconciler as audit } from '../../workflows/scheduled-reconciler.ts';
export { unassign } from '../../workflows/unassign.ts';

/** An assign that somebody has changed without thinking of those that are open: it no longer waits for the host. */
export function assign(operation: AssignOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (run) => bill(run, await settle(run)));
}
