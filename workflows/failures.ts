import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { Admitted } from '../domain/decision.ts';
import {
  DATABASE_UNAVAILABLE,
  DROPLET_UNAVAILABLE,
  FENCE_MISSING,
  FINAL_FAILURES,
  HOST_FAILED,
  HOST_GONE,
} from '../domain/names.ts';

/*
 * How operations fail. The first line of each failure says what an operator is to do, and then why.
 */

/** Why an operation was undone. */
export interface Reason {
  /** What happened; the reason that is stored with the action. */
  text: string;
  /** What an operator is to do about it, as the beginning of a sentence. */
  remedy: string;
}

const CARRY_THROUGH = 'reset this workflow to carry it through';

/** Why a wait for a host failed. */
export function reasonOf(error: unknown, admitted: Admitted): Reason {
  if (isCancellation(error)) {
    return { text: 'cancelled by an operator', remedy: `To have it happen after all, ${CARRY_THROUGH}` };
  }
  if (!(error instanceof ActivityFailure)) return { text: String(error), remedy: `See below, then ${CARRY_THROUGH}` };
  const [change, host, , address = admitted.address] = (error.activityId ?? '').split('/');
  const mend = `Mend host ${host}, then ${CARRY_THROUGH}`;
  if (!(error.cause instanceof ApplicationFailure)) {
    return { text: `host ${host} did not ${change} ${address} in time`, remedy: mend };
  }
  const { type, message, details } = error.cause;
  if (type === HOST_GONE) return { text: message, remedy: 'Leave it: the customer has to choose another droplet' };
  if (type === DATABASE_UNAVAILABLE) return { text: String(details?.[0]), remedy: `Mend MySQL, then ${CARRY_THROUGH}` };
  return { text: message, remedy: type === HOST_FAILED ? mend : `See below, then ${CARRY_THROUGH}` };
}

/** Fails a workflow whose operation was undone. */
export function undoneFailure({ text, remedy }: Reason, { actionId, address }: Admitted): ApplicationFailure {
  const message = `${remedy}. The operation was undone: ${text}`;
  return ApplicationFailure.nonRetryable(message, 'Undone', { actionId, address });
}

/** A step may not write, whatever is tried, and has changed nothing. */
export function isFinal(error: unknown): boolean {
  return finalCause(error) !== null;
}

/** What fails a workflow that may write nothing any more; null for any other error. */
export function finalFailure(error: unknown): ApplicationFailure | null {
  const cause = finalCause(error);
  if (!cause) return null;
  const remedy = REMEDIES[cause.type ?? ''] ?? 'Nothing is to be done';
  return ApplicationFailure.nonRetryable(`${remedy}: ${cause.message}. This run has changed nothing`, cause.type);
}

const REMEDIES: Readonly<Record<string, string>> = {
  [DROPLET_UNAVAILABLE]: 'Leave it: the customer has to choose another droplet',
  [FENCE_MISSING]: 'Run the audit, and look at what it finds of invariant 2',
};

function finalCause(error: unknown): ApplicationFailure | null {
  const failure = error instanceof ActivityFailure ? error.cause : error;
  return failure instanceof ApplicationFailure && FINAL_FAILURES.includes(failure.type ?? '') ? failure : null;
}
