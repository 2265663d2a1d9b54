/*
 * What the stand-in for a legacy monolith takes for its inner calls, all in milliseconds. These are the only numbers of
 * it that are made up; everything else it does for real: HTTP, MySQL, Kafka.
 *
 * They were set before anything was measured, and not changed since. They are a guess at a company whose session and
 * inventory services sit in the same data centre and are themselves programs with a database: tens of milliseconds, with a
 * tail of five times the median. Whoever knows the figures of their own monolith puts them in here; the answer of
 * `npm run bench:cut-over` also says at which of them the two upstreams are equal, and what it is with all of them at zero.
 *
 * MySQL has no added time, because both upstreams ask the same one in the same way.
 */

/** The time of a call: half of them take less than the median, one in a hundred more than `p99Ms`. */
export interface InnerCall {
  medianMs: number;
  p99Ms: number;
}

/** Calls that a request of the monolith makes, one after the other. */
export const INNER_CALLS = {
  /** Whose token it is, and what it may do: asked by every request. */
  session: { medianMs: 40, p99Ms: 200 },
  /** The limits of an account: asked by whoever reserves. */
  account: { medianMs: 40, p99Ms: 200 },
  /** A droplet as customers see it: asked once for each droplet that is shown, or that something is done with. */
  droplet: { medianMs: 60, p99Ms: 300 },
  /** The host that a droplet is on, and its address there: asked for each host that is told something. */
  placement: { medianMs: 60, p99Ms: 300 },
  /** Until all replicas of a broker on other machines have a message, on top of what Kafka takes here. */
  kafka: { medianMs: 10, p99Ms: 50 },
} as const satisfies Record<string, InnerCall>;

/** How often the monolith looks for answers of hosts to what it has told them. */
export const CONFIRMATIONS_EVERY_MS = 25;
