import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { ReleaseOperation } from '../domain/operation.ts';
import { carryOut } from './carry-out.ts';
import { billAtAdmit, detachedForCertain, settle } from './steps.ts';

/**
 * Gives an address back to the pool. It is gone for its owner at admit, where billing stops; it returns to the pool
 * only when no host can answer for it any more, however long that takes.
 */
export function release(operation: ReleaseOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (context) => {
    const billed = billAtAdmit(context);
    // The local activity keeps the workflow task anyway.
    if (!context.decisionFirst) await billed;
    if (!context.admitted.settled) {
      await detachedForCertain(context);
      await settle(context);
    }
    await billed;
  });
}
