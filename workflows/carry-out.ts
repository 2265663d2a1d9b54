import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import { admittedOf } from '../domain/host-commands.ts';
import type { Operation } from '../domain/operation.ts';
import { attributesOfAdmitted } from '../domain/search-attributes.ts';
import { QUICK_WAIT_MS } from '../domain/timeouts.ts';
import type { Run } from './context.ts';
import { openVerdictDesk } from './decision-update.ts';
import { finalFailure } from './failures.ts';
import { Progress } from './progress.ts';
import { admit, finishedSoon } from './steps.ts';

/** Histories without it published by a local activity, whoever waited for the verdict. */
const VERDICT_BEFORE_BILLING = 'verdict-before-billing';

/**
 * What every operation is: admitted, and then carried to its end by `steps`; or refused, which changes nothing.
 * `decided` is given when it was admitted before it was started. Fails as the steps fail.
 */
export async function carryOut<Kind extends Operation>(
  operation: Kind,
  decided: DecidedOperation | undefined,
  steps: (run: Run<Kind>) => Promise<void>,
): Promise<Outcome> {
  const desk = openVerdictDesk();
  const progress = new Progress();
  if (decided) {
    const admitted = admittedOf(decided.admitted);
    desk.announce(admitted);
    return carryOutDecided({ operation, progress, verdictFirst: false, ...decided, admitted }, steps);
  }
  const { verdict, patience } = await admit(operation, progress);
  desk.announce(verdict);
  if (verdict.kind === 'refused') {
    setCurrentDetails(`refused: ${verdict.refusal}`);
    return verdict;
  }
  upsertSearchAttributes(attributesOfAdmitted(operation, verdict));
  const verdictFirst = verdict.billing.length > 0 && desk.wasAsked() && patched(VERDICT_BEFORE_BILLING);
  return finish({ operation, admitted: verdict, patience, progress, verdictFirst }, steps);
}

/** What was admitted before its workflow started ends in one step, unless a host is slow or fails. */
async function carryOutDecided<Kind extends Operation>(
  run: Run<Kind>,
  steps: (run: Run<Kind>) => Promise<void>,
): Promise<Outcome> {
  const { settled } = await finishedSoon(run);
  if (settled) return completed(run);
  const { admitted, patience } = run;
  const previousHostTimeoutMs = Math.max(1, patience.previousHostTimeoutMs - QUICK_WAIT_MS);
  const left = { admitted: { ...admitted, billing: [] }, patience: { ...patience, previousHostTimeoutMs } };
  return finish({ ...run, ...left }, steps);
}

async function finish<Kind extends Operation>(
  run: Run<Kind>,
  steps: (run: Run<Kind>) => Promise<void>,
): Promise<Outcome> {
  try {
    await steps(run);
  } catch (error) {
    throw finalFailure(error) ?? error;
  }
  return completed(run);
}

function completed({ admitted: { actionId, address } }: Run): Outcome {
  return { kind: 'completed', actionId, address };
}
