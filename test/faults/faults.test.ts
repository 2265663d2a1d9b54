import { expect, test } from 'vitest';
import { describeRun, figuresOf } from './report.ts';
import { runFaults } from './run.ts';

const SEED = 20_261_125;
const OPERATIONS = 200;
const FAULTS = 10;

test(`${OPERATIONS} accepted operations and ${FAULTS} faults lose nothing, and nobody is told something untrue`, {
  timeout: 400_000,
}, async ({ signal }) => {
  const result = await runFaults({
    seed: SEED,
    operations: OPERATIONS,
    faults: FAULTS,
    paceMs: 1_700,
    clients: 3,
    folder: 'faults-short',
    report: console.log,
    signal,
  });
  console.log(describeRun(SEED, result));

  expect(result.problems).toEqual([]);
  const figures = figuresOf(result);
  expect(figures.accepted).toBeGreaterThanOrEqual(OPERATIONS);
  expect(figures.completed).toBeGreaterThan(0);
  expect([figures.acceptedIpv6, figures.reservedForDroplets], 'of IPv6, and for droplets').not.toContain(0);
});
