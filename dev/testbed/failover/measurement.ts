import { z } from 'zod';

/** One request of the client; `by` is the balancer that answered it, null when none did. */
export const requestSchema = z.object({ sentAt: z.number(), endedAt: z.number(), by: z.string().nullable() });
export type ClientRequest = z.infer<typeof requestSchema>;

/** When the customer's script did what, in milliseconds since the epoch. */
export interface WatchTimes {
  detected: number;
  requested: number;
  accepted: number;
  completed: number;
}

/** What one failover took, in milliseconds, and what it cost. */
export interface Measurement {
  /** From the failure until the script was sure of it. */
  detection: number;
  /** These from the script's request to move the address. */
  accepted: number;
  completed: number;
  firstGoodAnswer: number;
  /** Requests that nobody answered. */
  lost: number;
  /** Requests that the former balancer answered after the new one had first answered, whenever they were sent. */
  wrong: number;
}

/** What the client saw of a failover from whichever balancer to `to`. */
export function measure(
  requests: readonly ClientRequest[],
  failedAt: number,
  times: WatchTimes,
  to: string,
): Measurement {
  const good = requests.filter(({ by, endedAt }) => by === to && endedAt >= failedAt);
  const firstGoodAt = Math.min(...good.map(({ endedAt }) => endedAt));
  const wrong = requests.filter(({ by, endedAt }) => by !== null && by !== to && endedAt > firstGoodAt);
  return {
    detection: times.detected - failedAt,
    accepted: times.accepted - times.requested,
    completed: times.completed - times.requested,
    firstGoodAnswer: firstGoodAt - times.requested,
    lost: requests.filter(({ by }) => by === null).length,
    wrong: wrong.length,
  };
}
