import { expect, test } from 'vitest';
import { shareOnNew } from '../../dev/demo/cut-over/measure.ts';
import { describeWalk, rowOf } from '../../dev/demo/cut-over/report.ts';
import { walk } from '../../dev/demo/cut-over/walk.ts';

/** Two of the first twenty accounts are among the first 5 %. */
const CUSTOMERS = 20;

test('nothing fails or is doubled for real clients while they are moved to the new upstream, back, and there again', {
  timeout: 240_000,
}, async ({ signal }) => {
  const result = await walk({
    customers: CUSTOMERS,
    stepMs: 3_000,
    beatMs: 1_000,
    changeEvery: 5,
    seed: 20_261_125,
    folder: 'demo-migration-short',
    report: console.log,
    onStep: (step) => console.log(rowOf(step)),
    signal,
  });
  console.log(describeWalk(result));

  expect(result.problems).toEqual([]);
  expect(result.failed).toBe(0);
  const shares = result.steps.map(({ split }) => shareOnNew(split) ?? Number.NaN);
  const [none, own, five, fifty, all, off, again] = shares;
  expect(shares).toHaveLength(7);
  expect(none).toBe(0);
  // A request that was under way when the flags were flipped is counted when it ends.
  expect(off).toBeLessThan(0.1);
  expect(Math.min(all ?? 0, again ?? 0)).toBeGreaterThan(0.9);
  expect(own).toBeGreaterThan(0);
  expect(five).toBeGreaterThan(own ?? 1);
  expect(fifty).toBeGreaterThan(five ?? 1);
  expect(fifty).toBeLessThan(1);
  expect(Math.min(...Object.values(result.told)), 'every kind of change was made').toBeGreaterThan(0);
});
