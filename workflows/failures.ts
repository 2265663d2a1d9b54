import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow';
import { DATABASE_UNAVAILABLE, HOST_FAILED, HOST_GONE, SUPERSEDED } from '../domain/names.ts';
import type { Admitted } from '../domain/verdict.ts';

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
export function reasonOf(error: unknown, { address }: Admitted): Reason {
  if (isCancellation(error)) {
    return { text: 'cancelled by an operator', remedy: `To have it happen after all, ${CARRY_THROUGH}` };
  }
  if (!(error instanceof ActivityFailure)) return { text: String(error), remedy: `See below, then ${CARRY_THROUGH}` };
  const [change, host] = (error.activityId ?? '').split('/');
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

/** The fence went to another action, or the action has ended: this run may write nothing. */
export function isSuperseded(error: unknown): boolean {
  return supersededCause(error) !== null;
}

/** Fails a workflow that was superseded. */
export function supersededFailure(error: unknown): ApplicationFailure {
  const why = supersededCause(error)?.message ?? 'superseded';
  return ApplicationFailure.nonRetryable(`Nothing is to be done: ${why}. This run has changed nothing`, SUPERSEDED);
}

function supersededCause(error: unknown): ApplicationFailure | null {
  const failure = error instanceof ActivityFailure ? error.cause : error;
  return failure instanceof ApplicationFailure && failure.type === SUPERSEDED ? failure : null;
}
