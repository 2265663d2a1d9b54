import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AcknowledgmentOutcome } from '../domain/host-protocol.ts';
import { reasonGiven } from '../domain/host-protocol.ts';
import { type AwaitedCommand, acknowledgmentActivityId, HOST_FAILED } from '../domain/names.ts';

/** A host's answer, with the operation that waits for it. */
export interface AcknowledgedCommand extends AwaitedCommand {
  outcome: AcknowledgmentOutcome;
  message: string | null;
}

/** Tells workflows what hosts have answered. */
export interface AcknowledgmentSink {
  /** Tells the waiting workflow, if it still waits; a wait that is over, or has not begun, is no error. */
  acknowledged(command: AcknowledgedCommand): Promise<void>;
}

const TIMEOUT_MS = 2_000;

/**
 * Completes or fails the activities that wait for hosts. One that has not started yet finds the answer in the
 * database when it does.
 */
export function createAcknowledgmentSink(temporal: Client): AcknowledgmentSink {
  return {
    async acknowledged(command) {
      const activity = { workflowId: command.workflowId, activityId: acknowledgmentActivityId(command) };
      try {
        await temporal.withDeadline(Date.now() + TIMEOUT_MS, () =>
          isDone(command)
            ? temporal.activity.complete(activity, undefined)
            : temporal.activity.fail(activity, hostFailure(command)),
        );
      } catch (error) {
        if (!(error instanceof ActivityNotFoundError)) throw error;
      }
    },
  };
}

/** A host that has already gone on to a newer generation does not answer under the older one either. */
function isDone({ outcome, change }: AcknowledgedCommand): boolean {
  return outcome === 'applied' || (outcome === 'superseded' && change === 'detach');
}

function hostFailure({ host, change, outcome, message }: AcknowledgedCommand): ApplicationFailure {
  const reason = outcome === 'superseded' ? 'it has applied something newer' : reasonGiven(message);
  return ApplicationFailure.retryable(`host ${host} could not ${change}: ${reason}`, HOST_FAILED);
}
