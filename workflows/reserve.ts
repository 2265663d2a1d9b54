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
  return carryOut(operation, decided, async (context) => {
    const reservedBilled = billAtAdmit(context);
    if (context.admitted.settled) return reservedBilled;
    try {
      await attached(context);
    } catch (error) {
      await reservedBilled;
      return undoAndFail(context, error);
    }
    await reservedBilled;
    await bill(context, await settle(context));
  });
}
