import { describe, expect, test } from 'vitest';
import { type PoolShareFacts, type PoolShareRules, poolShareRejection } from './pool-share.ts';

const RULES: PoolShareRules = {
  heldPercent: 50,
  perHourPercent: 25,
  minimum: 4,
  bindsBelowFreePercent: 50,
  quarantineAllowance: 10,
};

function facts(changes: Partial<Omit<PoolShareFacts, 'use'>> & { use?: Partial<PoolShareFacts['use']> }) {
  return {
    limit: 1_000,
    overrides: { heldPercent: null, perHourPercent: null },
    size: 100,
    free: 0,
    ...changes,
    use: { held: 0, quarantined: 0, releasedWithinHour: 0, ...changes.use },
  };
}

describe('an account', () => {
  test('that has taken nothing gets the last free address of a pool', () => {
    expect(poolShareRejection(facts({ free: 1 }), RULES)).toBeNull();
  });

  test('may hold its share and not one more, counting what it has in quarantine', () => {
    expect(poolShareRejection(facts({ use: { held: 49 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ use: { held: 50 } }), RULES)).toBe('pool_share_reached');
    expect(poolShareRejection(facts({ use: { held: 30, quarantined: 19 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ use: { held: 30, quarantined: 20 } }), RULES)).toBe('pool_share_reached');
  });

  test('may release its hourly share into quarantine and not one more, however little it holds', () => {
    expect(poolShareRejection(facts({ use: { releasedWithinHour: 24 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ use: { releasedWithinHour: 25 } }), RULES)).toBe('pool_share_reached');
  });

  test('may go beyond its shares for as long as enough of the pool is free for others', () => {
    const beyond = { held: 70, quarantined: 5, releasedWithinHour: 60 };
    expect(poolShareRejection(facts({ free: 50, use: beyond }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ free: 49, use: beyond }), RULES)).toBe('pool_share_reached');
    expect(poolShareRejection(facts({ free: null, use: beyond }), RULES)).toBe('pool_share_reached');
  });

  test('has a share of some addresses also of a pool so small that the percentage is less than that', () => {
    const rules = { ...RULES, heldPercent: 20 };
    expect(poolShareRejection(facts({ size: 14, use: { held: 3 } }), rules)).toBeNull();
    expect(poolShareRejection(facts({ size: 14, use: { held: 4 } }), rules)).toBe('pool_share_reached');
    expect(poolShareRejection(facts({ size: 1, free: 1 }), RULES)).toBeNull();
  });

  test.each([
    [254, 32, 10],
    [30, 15, 10],
    [14, 7, 7],
    [6, 3, 3],
    [3, 1, 1],
    [2, 1, 1],
    [1, 1, 1],
  ])(
    'has of %i addresses at most %i by the minimum of shares, and at most %i in quarantine',
    (size, most, quarantined) => {
      const rules = { ...RULES, heldPercent: 10, perHourPercent: 10, minimum: 32 };
      expect(poolShareRejection(facts({ size, use: { held: most - 1 } }), rules)).toBeNull();
      expect(poolShareRejection(facts({ size, use: { held: most } }), rules)).toBe('pool_share_reached');
      expect(poolShareRejection(facts({ size, use: { releasedWithinHour: most - 1 } }), rules)).toBeNull();
      expect(poolShareRejection(facts({ size, use: { releasedWithinHour: most } }), rules)).toBe('pool_share_reached');
      const small = { limit: 3, size, free: size };
      expect(poolShareRejection(facts({ ...small, use: { quarantined: quarantined - 1 } }), rules)).toBeNull();
      expect(poolShareRejection(facts({ ...small, use: { quarantined } }), rules)).toBe('cooldown_limit_reached');
    },
  );

  test('has no more than half of a pool in quarantine either when its limit is large, unless it may hold more', () => {
    const large = { limit: 1_000, size: 14, free: 7 };
    expect(poolShareRejection(facts({ ...large, use: { quarantined: 6 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ ...large, use: { quarantined: 7 } }), RULES)).toBe('cooldown_limit_reached');
    const set = (heldPercent: number) => ({ ...large, overrides: { heldPercent, perHourPercent: null } });
    expect(poolShareRejection(facts({ ...set(20), use: { quarantined: 7 } }), RULES)).toBe('cooldown_limit_reached');
    expect(poolShareRejection(facts({ ...set(80), use: { quarantined: 10 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ ...set(80), use: { quarantined: 11 } }), RULES)).toBe('cooldown_limit_reached');
    expect(poolShareRejection(facts({ ...set(100), use: { quarantined: 14 } }), RULES)).toBeNull();
  });

  test('may have as many in quarantine as it may hold, and a few when that is less, however much is free', () => {
    const small = { limit: 3, size: 10_000, free: 9_000 };
    expect(poolShareRejection(facts({ ...small, use: { quarantined: 9 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ ...small, use: { quarantined: 10 } }), RULES)).toBe('cooldown_limit_reached');
    const large = { ...small, limit: 25 };
    expect(poolShareRejection(facts({ ...large, use: { quarantined: 24 } }), RULES)).toBeNull();
    expect(poolShareRejection(facts({ ...large, use: { quarantined: 25 } }), RULES)).toBe('cooldown_limit_reached');
  });

  test('has the shares that were set for it instead of those of all', () => {
    const held = { use: { held: 60 } };
    expect(
      poolShareRejection(facts({ ...held, overrides: { heldPercent: 61, perHourPercent: null } }), RULES),
    ).toBeNull();
    expect(poolShareRejection(facts({ ...held, overrides: { heldPercent: 60, perHourPercent: 100 } }), RULES)).toBe(
      'pool_share_reached',
    );
    const released = { use: { releasedWithinHour: 30 } };
    expect(
      poolShareRejection(facts({ ...released, overrides: { heldPercent: null, perHourPercent: 31 } }), RULES),
    ).toBeNull();
    expect(
      poolShareRejection(facts({ use: { held: 4 }, overrides: { heldPercent: 0, perHourPercent: null } }), RULES),
    ).toBe('pool_share_reached');
  });

  test('is bound by no share of 100 percent or more', () => {
    const everything = { held: 99, quarantined: 900, releasedWithinHour: 1_000_000 };
    const unbound = { ...RULES, heldPercent: 100, perHourPercent: 100 };
    expect(poolShareRejection(facts({ use: everything }), unbound)).toBeNull();
    expect(
      poolShareRejection(facts({ use: everything, overrides: { heldPercent: 100, perHourPercent: 100 } }), RULES),
    ).toBeNull();
  });

  test('is always bound when the shares bind whatever is free, and never when they never bind', () => {
    const use = { held: 60 };
    for (const free of [40, 100]) {
      const always = { ...RULES, bindsBelowFreePercent: 100 };
      expect(poolShareRejection(facts({ free, use }), always)).toBe('pool_share_reached');
    }
    expect(poolShareRejection(facts({ free: 0, use }), { ...RULES, bindsBelowFreePercent: 0 })).toBeNull();
  });
});
