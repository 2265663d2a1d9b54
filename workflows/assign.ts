import { setWorkflowOptions } from '@temporalio/workflow';
import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import type { AssignOperation } from '../domain/operation.ts';
import { endsOnItsBuild } from './build.ts';
import { carryOut } from './carry-out.ts';
import { attached, bill, detachedFromPreviousHosts, settle, undoAndFail } from './steps.ts';

setWorkflowOptions(endsOnItsBuild, assign);

/**
 * Points an address at a droplet; when it is on another one, moves it. The new host must attach it. The old host has
 * a moment to confirm that it let go, but failing over away from a dead host must not need the dead host.
 */
export function assign(operation: AssignOperation, decided?: DecidedOperation): Promise<Outcome> {
  return carryOut(operation, decided, async (context) => {
    try {
      await Promise.all([attached(context), detachedFromPreviousHosts(context)]);
    } catch (error) {
      return undoAndFail(context, error);
    }
    await bill(context, await settle(context));
  });
}
