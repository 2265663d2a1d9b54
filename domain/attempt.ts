/** A further attempt of an activity that its workflow waits for, as the activity tells the workflow. */
export interface Attempt {
  activityId: string;
  /** Counted from 1. */
  attempt: number;
}

/** Name of the signal that carries an {@link Attempt}. */
export const ATTEMPT_SIGNAL = 'attempt';

/** Whether something is an attempt. Without a library, because workflows carry what they import. */
export function isAttempt(value: unknown): value is Attempt {
  if (typeof value !== 'object' || value === null) return false;
  if (!('activityId' in value) || !('attempt' in value)) return false;
  return typeof value.activityId === 'string' && Number.isSafeInteger(value.attempt) && Number(value.attempt) > 0;
}

/**
 * Whether a workflow is told of this attempt: of the first ten, and then ever more rarely, so that one that waits for
 * weeks does not fill its history.
 */
export function isWorthReporting(attempt: number): boolean {
  return attempt <= 10 || Number.isInteger(Math.log2(attempt));
}
