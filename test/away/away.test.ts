import { expect, test } from 'vitest';
import { MODES } from './environment.ts';
import { describeAway, problemsOf } from './report.ts';
import { runAway } from './run.ts';

/** The same limit as for a minute at three times the rate, on a machine that others use too. */
const COMPLETED_WITHIN_MS = 30_000;

test('while Temporal is away everything is accepted, and it completes by itself when Temporal is back', {
  timeout: 300_000,
}, async ({ signal }) => {
  const result = await runAway({
    modes: MODES,
    rates: { writes: 8, reads: 20 },
    awayMs: 8_000,
    healthyMs: 3_000,
    folder: 'away-short',
    report: console.log,
    signal,
  });
  console.log(describeAway(result));

  expect(problemsOf(result)).toEqual([]);
  for (const { mode, openAtReturn, completedAfterMs } of result.modes) {
    if (mode !== 'slowed') expect(openAtReturn, `${mode}: operations that waited for Temporal`).toBeGreaterThan(0);
    expect(completedAfterMs, mode).toBeLessThan(COMPLETED_WITHIN_MS);
  }
});
