import { expect, test } from 'vitest';
import { Allowance } from './allowance.ts';

/** Two a second, ten at most, on a clock that the test sets. */
function useAllowance(parties?: number) {
  const clock = { now: 0 };
  const allowance = new Allowance({ perSecond: 2, most: 10, now: () => clock.now, ...(parties && { parties }) });
  return { clock, allowance };
}

test('a party may spend at once what it has saved, and then what it is given a second', () => {
  const { clock, allowance } = useAllowance();
  allowance.spend('a', 10);
  expect(allowance.wait('a')).toBe(1);
  clock.now = 0.5;
  expect(allowance.wait('a')).toBe(0);
  expect(allowance.wait('b')).toBe(0);
});

test('what costs more than is left makes a debt, which is waited for', () => {
  const { clock, allowance } = useAllowance();
  allowance.spend('a', 30);
  expect(allowance.wait('a')).toBe(11);
  clock.now = 10.5;
  expect(allowance.wait('a')).toBe(0);
});

test('nobody saves up more than the most', () => {
  const { clock, allowance } = useAllowance();
  clock.now = 1_000;
  allowance.spend('a', 10);
  expect(allowance.wait('a')).toBe(1);
  allowance.spend('a', -100);
  allowance.spend('a', 10);
  expect(allowance.wait('a')).toBe(1);
});

test('only so many parties are remembered, the ones seen last', () => {
  const { allowance } = useAllowance(2);
  for (const party of ['a', 'b', 'c']) allowance.spend(party, 10);
  expect(['a', 'b', 'c'].map((party) => allowance.wait(party))).toEqual([0, 1, 1]);
});
