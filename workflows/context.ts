import type { Admitted } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import type { Patience } from '../domain/timeouts.ts';
import type { Progress } from './progress.ts';

/** An admitted operation on its way, which every step is given. */
export interface Run<Kind extends Operation = Operation> {
  operation: Kind;
  admitted: Admitted;
  patience: Patience;
  progress: Progress;
  /** The starter waits for the verdict, so nothing may keep the workflow task that carries it. */
  verdictFirst: boolean;
}
