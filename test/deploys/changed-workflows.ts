import { setWorkflowOptions, sleep } from '@temporalio/workflow';
import type { AssignOperation } from '../../domain/operation.ts';
import type { Outcome } from '../../domain/verdict.ts';
import { endsOnItsBuild } from '../../workflows/build.ts';
import { admit, attached, bill, detachedFromPreviousHosts, settle, undoAndFail } from '../../workflows/steps.ts';
import { announceVerdict } from '../../workflows/verdict.ts';

export { publishBillingEvent } from '../../workflows/billing.ts';
export { release } from '../../workflows/release.ts';
export { reserve } from '../../workflows/reserve.ts';
export { unassign } from '../../workflows/unassign.ts';

setWorkflowOptions(endsOnItsBuild, assign);

/** An assign with one more step and another order of the steps, which no history of the present one replays on. */
export async function assign(operation: AssignOperation): Promise<Outcome> {
  const announce = announceVerdict();
  const { verdict, patience } = await admit(operation);
  announce(verdict);
  if (verdict.kind === 'refused') return verdict;
  await sleep(1);
  try {
    await detachedFromPreviousHosts(operation, verdict, patience);
    await attached(operation, verdict, patience);
  } catch (error) {
    return undoAndFail(operation, verdict, error);
  }
  await bill(await settle(operation, verdict));
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
