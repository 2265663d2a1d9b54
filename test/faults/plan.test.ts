import { describe, expect, test } from 'vitest';
import { describeFault, type Fault, faultsOf, kindOf, ROUND_LENGTH } from './plan.ts';

function first(seed: number, count: number): Fault[] {
  const faults = faultsOf(seed, { hosts: 4 }, 2_000);
  return Array.from({ length: count }, () => faults.next().value);
}

describe('the plan of faults', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(first(7, 100)).toEqual(first(7, 100));
    expect(first(7, 100).map(describeFault)).not.toEqual(first(8, 100).map(describeFault));
  });

  test('has every kind in every round', () => {
    const kinds = new Set(first(1, ROUND_LENGTH).map(kindOf));
    expect(kinds.size).toBe(23);
    expect(new Set(first(2, ROUND_LENGTH).map(kindOf))).toEqual(kinds);
  });
});
