import type { ReleaseOperation } from '../domain/operation.ts';
import type { Outcome } from '../domain/verdict.ts';
import { admit, bill, detachedForCertain, settle } from './steps.ts';
import { announceVerdict } from './verdict.ts';

/**
 * Gives an address back to the pool. It is gone for its owner at admit, where billing stops; it returns to the pool
 * only when no host can answer for it any more, however long that takes.
 */
export async function release(operation: ReleaseOperation): Promise<Outcome> {
  const announce = announceVerdict();
  const { verdict, patience } = await admit(operation);
  announce(verdict);
  if (verdict.kind === 'refused') return verdict;

  await bill(verdict.billing);
  if (!verdict.settled) {
    await detachedForCertain(operation, verdict, patience);
    await settle(operation, verdict);
  }
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
