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
  return carryOut(operation, decided, async (run) => {
    try {
      await Promise.all([attached(run), detachedFromPreviousHosts(run)]);
    } catch (error) {
      return undoAndFail(run, error);
    }
    await bill(run, await settle(run));
  });
}
