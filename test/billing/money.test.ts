import { describe, expect, test } from 'vitest';
import { DEFAULT_RATE, formatDollars, parseDollars } from '../../ops/billing-statement/money.ts';

describe('an amount in dollars', () => {
  test('is read to the millionth, without rounding', () => {
    expect(parseDollars(DEFAULT_RATE)).toBe(7_440n);
    expect(parseDollars('0.000001')).toBe(1n);
    expect(parseDollars('12')).toBe(12_000_000n);
    expect(parseDollars('12.5')).toBe(12_500_000n);
    expect(parseDollars('9007199254740993.1')).toBe(9_007_199_254_740_993_100_000n);
  });

  test('is written with all its decimals', () => {
    expect(formatDollars(7_440n)).toBe('0.007440');
    expect(formatDollars(12_000_000n)).toBe('12.000000');
    expect(formatDollars(0n)).toBe('0.000000');
  });

  test('is rejected when it is anything else', () => {
    for (const text of ['', '.5', '1.', '-1', '1,5', '0.0000001', '1e3', ' 1', 'one']) {
      expect(() => parseDollars(text), text).toThrow(RangeError);
    }
  });
});
