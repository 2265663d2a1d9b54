import type { UnassignOperation } from '../domain/operation.ts';
import type { Outcome } from '../domain/verdict.ts';
import { admit, bill, detached, settle, undoAndFail } from './steps.ts';
import { announceVerdict } from './verdict.ts';

/**
 * Takes an address off its droplet, once the host has confirmed that it no longer answers for it. When the droplet is
 * destroyed with it there is nothing to restore: the address comes free even if the host never confirms, and a later
 * release waits for that host.
 */
export async function unassign(operation: UnassignOperation): Promise<Outcome> {
  const announce = announceVerdict();
  const { verdict, patience } = await admit(operation);
  announce(verdict);
  if (verdict.kind === 'refused') return verdict;

  try {
    await detached(operation, verdict, patience);
  } catch (error) {
    if (operation.destroysDropletId === null) return undoAndFail(operation, verdict, error);
  }
  await bill(await settle(operation, verdict));
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
