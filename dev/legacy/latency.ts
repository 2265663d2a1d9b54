import { setTimeout as sleep } from 'node:timers/promises';
import type { InnerCall } from './parameters.ts';

/** Standard deviations above the mean of a normal distribution that 99 % stay below. */
const P99_DEVIATIONS = 2.326;

/** Waits as long as an inner call takes. */
export type Latency = (call: InnerCall) => Promise<void>;

/** Times of inner calls, log-normal between median and p99, and multiplied by `scale`; 0 is no time at all. */
export function latencyOf(scale: number): Latency {
  return async ({ medianMs, p99Ms }) => {
    if (scale === 0) return;
    const spread = Math.log(p99Ms / medianMs) / P99_DEVIATIONS;
    await sleep(scale * medianMs * Math.exp(spread * standardNormal()));
  };
}

/** Box and Muller's way. */
function standardNormal(): number {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
