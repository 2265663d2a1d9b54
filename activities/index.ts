import { undo } from '../db/operations/reversal.ts';
import { settle } from '../db/operations/settle.ts';
import { admittedOf, hostsOf } from '../domain/admitted.ts';
import type { BillingChange } from '../domain/billing.ts';
import type { RecordedAdmitted } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import { type Admission, type AdmitDependencies, admitForWorkflow } from './admit.ts';
import { reportAttempt } from './attempts.ts';
import { failingReadably } from './failures.ts';
import { type Finish, type FinishDependencies, finishSoon } from './finish-soon.ts';
import { awaitHostAcknowledgment, type HostNotifier, type HostWait } from './host-acknowledgment.ts';
import { prepare, type WarmUpDependencies } from './warm-up.ts';

/** What the activities need from outside. */
export interface ActivityDependencies extends AdmitDependencies, FinishDependencies, WarmUpDependencies {
  notifyHosts: HostNotifier;
}

/**
 * The activities, by the names they are scheduled under. A workflow of another version may schedule them, with arguments
 * as that version recorded them.
 */
export interface Activities {
  /** Admits the operation, or reads the decision it already has. */
  admit(operation: Operation): Promise<Admission>;
  /** Completes an admitted operation if its hosts are quick. */
  finishSoon(operation: Operation, admitted: RecordedAdmitted): Promise<Finish>;
  /** Waits for a host's acknowledgment of a command; completed from outside. */
  awaitHostAcknowledgment(operation: Operation, admitted: RecordedAdmitted, wait: HostWait): Promise<void>;
  /** Makes the change permanent and releases the fence. */
  settle(operation: Operation, admitted: RecordedAdmitted): Promise<BillingChange[]>;
  /** Restores the previous state and ends the action as errored. */
  undo(operation: Operation, admitted: RecordedAdmitted, reason: string): Promise<void>;
  /** Publishes one billing event; safe to repeat, since its id is derived from the action. */
  publishBilling(change: BillingChange): Promise<void>;
  /** Reaches what an operation needs, and changes nothing; run when a worker starts. */
  warmUp(): Promise<void>;
}

/** Makes the activities of a worker. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const { db, billing, rules, billingTimeoutMs, notifyHosts } = dependencies;
  return {
    admit: async (operation) => {
      const admission = await failingReadably(() => admitForWorkflow(dependencies, operation));
      if (admission.verdict.kind === 'admitted') notifyHosts(hostsOf(admission.verdict));
      return admission;
    },
    finishSoon: (operation, admitted) =>
      failingReadably(() => finishSoon(dependencies, operation, admittedOf(admitted))),
    awaitHostAcknowledgment: (operation, admitted, wait) =>
      awaitHostAcknowledgment(db, notifyHosts, operation, admittedOf(admitted), wait),
    settle: (operation, admitted) => failingReadably(() => settle(db, operation, admittedOf(admitted), rules)),
    undo: (operation, admitted, reason) => failingReadably(() => undo(db, operation, admittedOf(admitted), reason)),
    publishBilling: async (change) => {
      await reportAttempt();
      await failingReadably(() => billing.publish(change, { timeoutMs: billingTimeoutMs }));
    },
    warmUp: () => prepare(dependencies),
  };
}
