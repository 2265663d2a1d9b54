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
 * How operations fail. The first line of each failure says what an operator should do, and then why.
 */

/** Why an operation was undone. */
export interface Reason {
  /** What happened; the reason that is stored with the action. */
  text: string;
  /** What an operator should do about it, as the beginning of a sentence. */
  remedy: string;
}

const RETRY = 'reset this workflow to retry';
const CHOOSE_ANOTHER_DROPLET = 'No action needed: the customer must choose another droplet';

/** Why a wait for a host failed. */
export function reasonOf(error: unknown, admitted: Admitted): Reason {
  if (isCancellation(error)) {
    return { text: 'cancelled by an operator', remedy: 'To retry, reset this workflow' };
  }
  const fixCause = `Fix the cause below, then ${RETRY}`;
  if (!(error instanceof ActivityFailure)) return { text: String(error), remedy: fixCause };
  const [change, host, , address = admitted.address] = (error.activityId ?? '').split('/');
  const fixHost = `Fix host ${host}, then ${RETRY}`;
  if (!(error.cause instanceof ApplicationFailure)) {
    return { text: `host ${host} did not ${change} ${address} in time`, remedy: fixHost };
  }
  const { type, message, details } = error.cause;
  if (type === HOST_GONE) return { text: message, remedy: CHOOSE_ANOTHER_DROPLET };
  if (type === DATABASE_UNAVAILABLE) return { text: String(details?.[0]), remedy: `Fix MySQL, then ${RETRY}` };
  return { text: message, remedy: type === HOST_FAILED ? fixHost : fixCause };
}

/** Fails a workflow whose operation was undone. */
export function undoneFailure({ text, remedy }: Reason, { actionId, address }: Admitted): ApplicationFailure {
  const message = `${remedy}. The operation was undone: ${text}`;
  return ApplicationFailure.nonRetryable(message, 'Undone', { actionId, address });
}

/** A step may not write, will not succeed later either, and has changed nothing. */
export function isFinal(error: unknown): boolean {
  return finalCause(error) !== null;
}

/** What fails a workflow that may write nothing any more; null for any other error. */
export function finalFailure(error: unknown): ApplicationFailure | null {
  const cause = finalCause(error);
  if (!cause) return null;
  const remedy = REMEDIES[cause.type ?? ''] ?? 'No action needed';
  return ApplicationFailure.nonRetryable(`${remedy}: ${cause.message}. This run changed nothing`, cause.type);
}

const REMEDIES: Readonly<Record<string, string>> = {
  [DROPLET_UNAVAILABLE]: CHOOSE_ANOTHER_DROPLET,
  [FENCE_MISSING]: 'Run the consistency check and look at its findings for invariant 2',
};

function finalCause(error: unknown): ApplicationFailure | null {
  const failure = error instanceof ActivityFailure ? error.cause : error;
  return failure instanceof ApplicationFailure && FINAL_FAILURES.includes(failure.type ?? '') ? failure : null;
}
