/*
 * How much of a pool one account may take from all others. A pool here is all addresses of one IP version in one region,
 * in however many ranges, because that is what a reserve takes from. Why each rule is as it is: docs/decisions.md.
 */

/** What an installation allows every account. A percentage of 100 or more sets no bound. */
export interface PoolShareRules {
  /** Of a pool, that one account may hold, with what it released and is still in cooldown. */
  heldPercent: number;
  /** Of a pool, that one account may release within an hour; what needs no cooldown is not counted. */
  perHourPercent: number;
  /** A share is never smaller than this many addresses, so that small pools can be used at all. */
  minimum: number;
  /** The shares bind only while a smaller part of the pool than this is free. */
  bindsBelowFreePercent: number;
  /** Addresses in cooldown that any account may have in a pool; its limit of reserved IPs when that is more. */
  cooldownAllowance: number;
}

/** Percentages of {@link PoolShareRules} that an operator set for one account; null where the rule of all stands. */
export interface PoolShareOverrides {
  heldPercent: number | null;
  perHourPercent: number | null;
}

/** What an account has of a pool, in addresses. */
export interface AccountUse {
  held: number;
  /** Released by it, and not available yet: a host must still detach, or the cooldown has not passed. */
  cooling: number;
  /** Released by it within the last hour, except what needed no cooldown, and held by nobody since. */
  releasedWithinHour: number;
}

/** What {@link poolShareRefusal} decides by. */
export interface PoolShareFacts {
  /** Reserved IPs that the account may hold. */
  limit: number;
  overrides: PoolShareOverrides;
  use: AccountUse;
  /** Addresses of the pool. */
  size: number;
  /** Those that could be reserved now; null when they were not counted, which is taken as none. */
  free: number | null;
}

/** Why an account gets no further address of a pool although there is one. */
export type PoolShareRefusal = 'cooldown_limit_reached' | 'pool_share_reached';

/** Decides whether an account may take one more address of a pool; null when it may. */
export function poolShareRefusal(facts: PoolShareFacts, rules: PoolShareRules): PoolShareRefusal | null {
  const { limit, overrides, use, size, free } = facts;
  if (use.cooling >= Math.max(limit, rules.cooldownAllowance)) return 'cooldown_limit_reached';
  const share = (percent: number) =>
    percent >= 100 ? Number.POSITIVE_INFINITY : Math.max(rules.minimum, Math.floor((size * percent) / 100));
  const withinShares =
    use.held + use.cooling < share(overrides.heldPercent ?? rules.heldPercent) &&
    use.releasedWithinHour < share(overrides.perHourPercent ?? rules.perHourPercent);
  return withinShares || (free ?? 0) >= plentyOf(size, rules) ? null : 'pool_share_reached';
}

/** With so many free addresses of a pool the shares do not bind; there is no need to count further. */
export function plentyOf(size: number, rules: PoolShareRules): number {
  return Math.ceil((size * rules.bindsBelowFreePercent) / 100);
}
