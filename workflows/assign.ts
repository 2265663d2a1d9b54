import type { AssignOperation } from '../domain/operation.ts';
import type { Outcome } from '../domain/verdict.ts';
import { admit, attached, bill, detachedFromPreviousHosts, settle, undoAndFail } from './steps.ts';
import { announceVerdict } from './verdict.ts';

/**
 * Points an address at a droplet; when it is on another one, moves it. The new host must attach it. The old host has
 * a moment to confirm that it let go, but failing over away from a dead host must not need the dead host.
 */
export async function assign(operation: AssignOperation): Promise<Outcome> {
  const announce = announceVerdict();
  const { verdict, patience } = await admit(operation);
  announce(verdict);
  if (verdict.kind === 'refused') return verdict;

  try {
    await Promise.all([
      attached(operation, verdict, patience),
      detachedFromPreviousHosts(operation, verdict, patience),
    ]);
  } catch (error) {
    return undoAndFail(operation, verdict, error);
  }
  await bill(await settle(operation, verdict));
  return { kind: 'completed', actionId: verdict.actionId, address: verdict.address };
}
