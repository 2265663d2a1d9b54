import { setWorkflowOptions, sleep } from '@temporalio/workflow';
import type { DecidedOperation, Outcome } from '../../domain/decision.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { endsOnItsBuild } from '../../workflows/build.ts';
import { carryOut } from '../../workflows/carry-out.ts';
import { attached, bill, detachedFromPreviousHosts, settle, undoAndFail } from '../../workflows/steps.ts';

export { publishBillingEvent } from '../../workflows/billing.ts';
export { release } from '../../workflows/release.ts';
export { reserve } from '../../workflows/reserve.ts';
export { unassign } from '../../workflows/unassign.ts';
export { warmUp } from '../../workflows/warm-up.ts';

setWorkflowOptions(endsOnItsBuild, assign);

/** An assign with one more step and another order of the steps, which no history of the present one replays on. */
export function assign(operation: AssignOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (run) => {
    await sleep(1);
    try {
      await detachedFromPreviousHosts(run);
      await attached(run);
    } catch (error) {
      return undoAndFail(run, error);
    }
    await bill(run, await settle(run));
  });
}
