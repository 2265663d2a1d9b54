import type { Admitted } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import type { OperationTimeouts } from '../domain/timeouts.ts';
import type { Progress } from './progress.ts';

/** An admitted operation on its way, which every step is given. */
export interface OperationContext<Kind extends Operation = Operation> {
  operation: Kind;
  admitted: Admitted;
  timeouts: OperationTimeouts;
  progress: Progress;
  /** The starter waits for the decision, so nothing may keep the workflow task that carries it. */
  decisionFirst: boolean;
}
