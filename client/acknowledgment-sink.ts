import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { AcknowledgmentOutcome } from '../domain/host-event.ts';
import { reasonGiven } from '../domain/host-event.ts';
import { type AwaitedCommand, acknowledgmentActivityId, HOST_FAILED } from '../domain/names.ts';

/** A host's answer, with the operation that waits for it. */
export interface AcknowledgedEvent extends AwaitedCommand {
  outcome: AcknowledgmentOutcome;
  message: string | null;
}

/** Tells workflows what hosts have answered. */
export interface AcknowledgmentSink {
  /** Tells the waiting workflow, if it still waits; a wait that is over, or has not begun, is no error. */
  acknowledged(event: AcknowledgedEvent): Promise<void>;
}

const TIMEOUT_MS = 2_000;

/**
 * Completes or fails the activities that wait for hosts. One that has not started yet finds the answer in the
 * database when it does.
 */
export function createAcknowledgmentSink(temporal: Client): AcknowledgmentSink {
  return {
    async acknowledged(event) {
      const activity = { workflowId: event.workflowId, activityId: acknowledgmentActivityId(event) };
      try {
        await temporal.withDeadline(Date.now() + TIMEOUT_MS, () =>
          isDone(event)
            ? temporal.activity.complete(activity, undefined)
            : temporal.activity.fail(activity, hostFailure(event)),
        );
      } catch (error) {
        if (!(error instanceof ActivityNotFoundError)) throw error;
      }
    },
  };
}

/** A host that has already gone on to a newer generation does not answer under the older one either. */
function isDone({ outcome, change }: AcknowledgedEvent): boolean {
  return outcome === 'applied' || (outcome === 'superseded' && change === 'detach');
}

function hostFailure({ host, change, outcome, message }: AcknowledgedEvent): ApplicationFailure {
  const reason = outcome === 'superseded' ? 'it has applied something newer' : reasonGiven(message);
  return ApplicationFailure.retryable(`host ${host} could not ${change}: ${reason}`, HOST_FAILED);
}
