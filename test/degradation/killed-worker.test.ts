import { expect, onTestFinished, test } from 'vitest';
import { startKilledWorkerEnvironment } from '../../dev/bench/killed-worker/environment.ts';
import { measureKilledWorkers, PHASES, summariseKills } from '../../dev/bench/killed-worker/measure.ts';

/** Three seconds until Temporal gives a task to another worker, and what a busy machine takes. */
const DELAYED_MS = 5_000;

test('a worker that is killed delays what it held by seconds, wherever its operations were', {
  timeout: 300_000,
}, async () => {
  const environment = await startKilledWorkerEnvironment(6);
  onTestFinished(() => environment.close());

  const kills = await measureKilledWorkers(environment, { kills: 2, inFlight: 6, seed: 1 });

  for (const phase of PHASES) {
    const { held, others } = summariseKills(kills, phase);
    console.log(`killed in the ${phase}: ${JSON.stringify({ held, others })}`);
    expect(held?.p50, phase).toBeLessThan(DELAYED_MS);
  }
});
