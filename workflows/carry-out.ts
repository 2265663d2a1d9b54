import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import type { Operation } from '../domain/operation.ts';
import { attributesOfAdmitted } from '../domain/search-attributes.ts';
import type { Outcome } from '../domain/verdict.ts';
import { isSuperseded, supersededFailure } from './failures.ts';
import { Progress } from './progress.ts';
import type { Run } from './run.ts';
import { admit } from './steps.ts';
import { openVerdictDesk } from './verdict.ts';

/** Histories without it published by a local activity, whoever waited for the verdict. */
const VERDICT_BEFORE_BILLING = 'verdict-before-billing';

/**
 * What every operation is: admitted, and then carried to its end by `steps`; or refused, which changes nothing.
 * Fails as the steps fail.
 */
export async function carryOut<Kind extends Operation>(
  operation: Kind,
  steps: (run: Run<Kind>) => Promise<void>,
): Promise<Outcome> {
  const desk = openVerdictDesk();
  const progress = new Progress();
  const { verdict, patience } = await admit(operation, progress);
  desk.announce(verdict);
  if (verdict.kind === 'refused') {
    setCurrentDetails(`refused: ${verdict.refusal}`);
    return verdict;
  }
  upsertSearchAttributes(attributesOfAdmitted(operation, verdict));
  const verdictFirst = verdict.billing.length > 0 && desk.wasAsked() && patched(VERDICT_BEFORE_BILLING);
  try {
    await steps({ operation, admitted: verdict, patience, progress, verdictFirst });
  } catch (error) {
    throw isSuperseded(error) ? supersededFailure(error) : error;
  }
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
