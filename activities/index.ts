import type { BillingPublisher } from '../billing/publisher.ts';
import { settle, undo } from '../db/operations/settle.ts';
import type { BillingChange } from '../domain/billing.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import type { Operation } from '../domain/operation.ts';
import type { Admitted } from '../domain/verdict.ts';
import { type Admission, type AdmitDependencies, admitOperation } from './admit.ts';
import { tellAttempt } from './attempts.ts';
import { failingReadably } from './failures.ts';
import { awaitHostAcknowledgment, type HostNotifier, type HostWait } from './host-acknowledgment.ts';

/** What the activities need from outside. */
export interface ActivityDependencies extends AdmitDependencies {
  billing: BillingPublisher;
  /** How long one try to publish a billing event may take, in milliseconds. */
  billingTimeoutMs: number;
  notifyHosts: HostNotifier;
}

/** The steps that workflows are made of, by the names they are scheduled under. */
export interface Activities {
  /** Admits the operation, or reads the verdict it already has. */
  admit(operation: Operation): Promise<Admission>;
  /** Waits until the host has done what it was told; completed from outside. */
  awaitHostAcknowledgment(operation: Operation, admitted: Admitted, wait: HostWait): Promise<void>;
  /** Makes the change true and lets go of the fence. */
  settle(operation: Operation, admitted: Admitted): Promise<BillingChange[]>;
  /** Restores what was before and ends the action as errored. */
  undo(operation: Operation, admitted: Admitted, reason: string): Promise<void>;
  /** Publishes one billing event; safe to repeat, since its id is derived from the action. */
  publishBilling(change: BillingChange): Promise<void>;
}

/** Makes the activities of a worker. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const { db, billing, rules, billingTimeoutMs, notifyHosts } = dependencies;
  return {
    admit: async (operation) => {
      const admission = await failingReadably(() => admitOperation(dependencies, operation));
      if (admission.verdict.kind === 'admitted') notifyHosts(hostsOf(admission.verdict));
      return admission;
    },
    awaitHostAcknowledgment: (operation, admitted, wait) =>
      awaitHostAcknowledgment(db, notifyHosts, operation, admitted, wait),
    settle: (operation, admitted) => failingReadably(() => settle(db, operation, admitted, rules)),
    undo: (operation, admitted, reason) => failingReadably(() => undo(db, operation, admitted, reason)),
    publishBilling: async (change) => {
      await tellAttempt();
      await failingReadably(() => billing.publish(change, { timeoutMs: billingTimeoutMs }));
    },
  };
}
