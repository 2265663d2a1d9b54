import { setWorkflowOptions } from '@temporalio/workflow';
import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { ReserveOperation } from '../domain/operation.ts';
import { endsOnItsBuild } from './build.ts';
import { carryOut } from './carry-out.ts';
import { attached, bill, billAtAdmit, settle, undoAndFail } from './steps.ts';

setWorkflowOptions(endsOnItsBuild, reserve);

/**
 * Gives a free address to the account, which admit settles by itself. With a droplet it goes on as an assign does;
 * when that fails, the address stays reserved and is on no droplet.
 */
export function reserve(operation: ReserveOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (run) => {
    const reservedBilled = billAtAdmit(run);
    if (run.admitted.settled) return reservedBilled;
    try {
      await attached(run);
    } catch (error) {
      await reservedBilled;
      return undoAndFail(run, error);
    }
    await reservedBilled;
    await bill(run, await settle(run));
  });
}
