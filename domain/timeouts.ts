/** How long a workflow tries what; decided where it runs, and recorded in its history. Times are in milliseconds. */
export interface OperationTimeouts {
  /** One attempt of a host to attach or detach. */
  timeoutMs: number;
  /** Attempts of a host before an operation is undone. */
  attempts: number;
  /** How long a reassign waits for the previous host. */
  previousHostTimeoutMs: number;
  /** How long an operation may retry before it marks itself stuck. */
  stuckAfterMs: number;
  /** The same for a billing event that has moved to a workflow of its own. */
  billingStuckAfterMs: number;
}

/**
 * How long an operation waits for its hosts before it waits where operators see it, in milliseconds. It is a part of
 * what a reassign gives its previous host.
 */
export const QUICK_WAIT_MS = 1_000;
