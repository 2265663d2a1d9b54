import type { AssignOperation } from '../../domain/operation.ts';
import type { Outcome } from '../../domain/verdict.ts';
import { admit, bill, settle } from '../../workflows/steps.ts';
import { announceVerdict } from '../../workflows/verdict.ts';

export { publishBillingEvent } from '../../workflows/billing.ts';
export { release } from '../../workflows/release.ts';
export { reserve } from '../../workflows/reserve.ts';
export { unassign } from '../../workflows/unassign.ts';

/** An assign that somebody has changed without thinking of those that are open: it no longer waits for the host. */
export async function assign(operation: AssignOperation): Promise<Outcome> {
  const announce = announceVerdict();
  const { verdict } = await admit(operation);
  announce(verdict);
  if (verdict.kind === 'refused') return verdict;
  await bill(await settle(operation, verdict));
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
