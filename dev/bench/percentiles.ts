/** The middle and the slow end of a series of times, in milliseconds. */
export interface Summary {
  count: number;
  p50: number;
  p99: number;
}

/** Summarises times in milliseconds; throws when there are none. */
export function summarise(times: readonly number[]): Summary {
  const sorted = times.toSorted((left, right) => left - right);
  return { count: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('no times to summarise');
  return value;
}
