import { setWorkflowOptions } from '@temporalio/workflow';
import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { UnassignOperation } from '../domain/operation.ts';
import { endsOnItsBuild } from './build.ts';
import { carryOut } from './carry-out.ts';
import { bill, detached, settle, undoAndFail } from './steps.ts';

setWorkflowOptions(endsOnItsBuild, unassign);

/**
 * Takes an address off its droplet, once the host has confirmed that it no longer answers for it. When the droplet is
 * destroyed with it there is nothing to restore: the address comes free even if the host never confirms, and a later
 * release waits for that host.
 */
export function unassign(operation: UnassignOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (context) => {
    try {
      await detached(context);
    } catch (error) {
      if (operation.destroysDropletId === null) return undoAndFail(context, error);
    }
    await bill(context, await settle(context));
  });
}
