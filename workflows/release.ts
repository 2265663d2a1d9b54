import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { ReleaseOperation } from '../domain/operation.ts';
import { carryOut } from './carry-out.ts';
import { billAtAdmit, detachedForCertain, settle } from './steps.ts';

/**
 * Gives an address back to the pool. It is gone for its owner at admit, where billing stops; it returns to the pool
 * only when no host can answer for it any more, however long that takes.
 */
export function release(operation: ReleaseOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (run) => {
    const billed = billAtAdmit(run);
    // The local activity keeps the workflow task anyway.
    if (!run.verdictFirst) await billed;
    if (!run.admitted.settled) {
      await detachedForCertain(run);
      await settle(run);
    }
    await billed;
  });
}
