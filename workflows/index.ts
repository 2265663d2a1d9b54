import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { OperationKind, OperationOf } from '../domain/operation.ts';

/** Everything a worker can run, by the names that starters use. */
export { assign } from './assign.ts';
export { publishBillingEvent } from './billing.ts';
export { release } from './release.ts';
export { reserve } from './reserve.ts';
export { scheduledReconciler as audit } from './scheduled-reconciler.ts';
export { unassign } from './unassign.ts';
export { warmUp } from './warm-up.ts';

/** What every kind of operation is carried out by. */
type OperationWorkflows = {
  [Kind in OperationKind]: (operation: OperationOf<Kind>, decided?: DecidedOperation) => Promise<Outcome>;
};
type Checked<Actual extends Expected, Expected> = Pick<Actual, keyof Actual & keyof Expected>;

/** The workflows of the operations. A kind that has none here does not compile. */
export type ExportedOperations = Checked<typeof import('./index.ts'), OperationWorkflows>;
