import type { BillingPublisher } from '../billing/publisher.ts';
import type { Database } from '../db/database.ts';
import type { OperationRules } from '../db/operations/admit.ts';
import { FinalStepError } from '../db/operations/errors.ts';
import { settle } from '../db/operations/settle.ts';
import type { BillingChange } from '../domain/billing.ts';
import type { Admitted } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import { QUICK_WAIT_MS } from '../domain/timeouts.ts';
import type { HostAnswers } from './host-answers.ts';

/** What {@link finishSoon} needs from outside. */
export interface FinishDependencies {
  db: Database;
  rules: OperationRules;
  hostAnswers: HostAnswers;
  billing: BillingPublisher;
  /** How long one try to publish a billing event may take, in milliseconds. */
  billingTimeoutMs: number;
}

/** How far an operation got. */
export interface Finish {
  /** It is settled; otherwise its hosts are slow, or have failed. */
  settled: boolean;
  /** Changes that Kafka did not take. */
  unbilled: BillingChange[];
}

/**
 * Completes an admitted operation when its hosts are quick, as they nearly always are: waits for their answers, settles, and
 * publishes its billing events. All in one step, because a step costs its workflow more than the work in it. What it does
 * not finish is left to the steps that operators see, which repeat nothing that it did.
 */
export async function finishSoon(
  dependencies: FinishDependencies,
  operation: Operation,
  admitted: Admitted,
): Promise<Finish> {
  const [unbilled, answer] = await Promise.all([
    publish(dependencies, admitted.billing),
    admitted.settled ? 'done' : dependencies.hostAnswers.wait(admitted, QUICK_WAIT_MS),
  ]);
  if (admitted.settled || answer !== 'done') return { settled: admitted.settled, unbilled };
  try {
    const changes = await settle(dependencies.db, operation, admitted, dependencies.rules);
    return { settled: true, unbilled: [...unbilled, ...(await publish(dependencies, changes))] };
  } catch (error) {
    // It was undone before, and the visible wait finds out whether it may be reopened.
    if (error instanceof FinalStepError) return { settled: false, unbilled };
    throw error;
  }
}

/** Answers what Kafka did not take. */
async function publish(
  { billing, billingTimeoutMs }: FinishDependencies,
  changes: BillingChange[],
): Promise<BillingChange[]> {
  const unbilled: BillingChange[] = [];
  for (const change of changes) {
    await billing.publish(change, { timeoutMs: billingTimeoutMs }).catch(() => unbilled.push(change));
  }
  return unbilled;
}
