import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { admittedOf } from '../domain/admitted.ts';
import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import { attributesOfAdmitted } from '../domain/search-attributes.ts';
import { QUICK_WAIT_MS } from '../domain/timeouts.ts';
import type { OperationContext } from './context.ts';
import { handleDecisionUpdate } from './decision-update.ts';
import { finalFailure } from './failures.ts';
import { Progress } from './progress.ts';
import { admitByActivity, finishedSoon } from './steps.ts';

/** Histories without it published by a local activity, whoever waited for the decision. */
const DECISION_BEFORE_BILLING = 'verdict-before-billing';

/**
 * What every operation is: admitted, and then carried to its end by `steps`; or rejected, which changes nothing.
 * `decided` is given when it was admitted before it was started. Fails as the steps fail.
 */
export async function carryOut<Kind extends Operation>(
  operation: Kind,
  decided: DecidedOperation | undefined,
  steps: (context: OperationContext<Kind>) => Promise<void>,
): Promise<Outcome> {
  const decisionHandler = handleDecisionUpdate();
  const progress = new Progress();
  if (decided) {
    const admitted = admittedOf(decided.admitted);
    decisionHandler.announce(admitted);
    return carryOutDecided({ operation, progress, decisionFirst: false, timeouts: decided.patience, admitted }, steps);
  }
  const { decision, timeouts } = await admitByActivity(operation, progress);
  decisionHandler.announce(decision);
  if (decision.kind === 'refused') {
    setCurrentDetails(`rejected: ${decision.refusal}`);
    return decision;
  }
  upsertSearchAttributes(attributesOfAdmitted(operation, decision));
  const decisionFirst = decision.billing.length > 0 && decisionHandler.wasAsked() && patched(DECISION_BEFORE_BILLING);
  return finish({ operation, admitted: decision, timeouts, progress, decisionFirst }, steps);
}

/** What was admitted before its workflow started ends in one step, unless a host is slow or fails. */
async function carryOutDecided<Kind extends Operation>(
  context: OperationContext<Kind>,
  steps: (context: OperationContext<Kind>) => Promise<void>,
): Promise<Outcome> {
  const { settled } = await finishedSoon(context);
  if (settled) return completed(context);
  const { admitted, timeouts } = context;
  const previousHostTimeoutMs = Math.max(1, timeouts.previousHostTimeoutMs - QUICK_WAIT_MS);
  const left = { admitted: { ...admitted, billing: [] }, timeouts: { ...timeouts, previousHostTimeoutMs } };
  return finish({ ...context, ...left }, steps);
}

async function finish<Kind extends Operation>(
  context: OperationContext<Kind>,
  steps: (context: OperationContext<Kind>) => Promise<void>,
): Promise<Outcome> {
  try {
    await steps(context);
  } catch (error) {
    throw finalFailure(error) ?? error;
  }
  return completed(context);
}

function completed({ admitted: { actionId, address } }: OperationContext): Outcome {
  return { kind: 'completed', actionId, address };
}
