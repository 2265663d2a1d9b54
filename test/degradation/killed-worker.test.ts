import { expect, onTestFinished, test } from 'vitest';
import { measureKilledWorkers, PHASES, summariseKills } from '../../dev/bench/killed-worker/measure.ts';
import { startKilledWorkerStack } from '../../dev/bench/killed-worker/stack.ts';

/** Three seconds until Temporal gives a task to another worker, and what a busy machine takes. */
const DELAYED_MS = 5_000;

test('a worker that is killed delays what it held by seconds, wherever its operations were', {
  timeout: 300_000,
}, async () => {
  const stack = await startKilledWorkerStack(6);
  onTestFinished(() => stack.close());

  const kills = await measureKilledWorkers(stack, { kills: 2, inFlight: 6, seed: 1 });

  for (const phase of PHASES) {
    const { held, others } = summariseKills(kills, phase);
    console.log(`killed in the ${phase}: ${JSON.stringify({ held, others })}`);
    expect(held?.p50, phase).toBeLessThan(DELAYED_MS);
  }
});
