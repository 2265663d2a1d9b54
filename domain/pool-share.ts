/*
 * How much of a pool one account may take from all others. A pool here is all addresses of one IP version in one region,
 * in however many ranges, because that is what a reserve takes from. Why each rule is as it is: docs/decisions.md.
 */

/** What an installation allows every account. A percentage of 100 or more sets no bound. */
export interface PoolShareRules {
  /** Of a pool, that one account may hold, with what it released and is still in quarantine. */
  heldPercent: number;
  /** Of a pool, that one account may release within an hour; what needs no quarantine is not counted. */
  perHourPercent: number;
  /** A share is never smaller than this many addresses, or {@link PART_OF_A_SMALL_POOL} where that is fewer. */
  minimum: number;
  /** The shares bind only while a smaller part of the pool than this is free. */
  bindsBelowFreePercent: number;
  /**
   * Addresses in quarantine that any account may have in a pool; its limit of reserved IPs when that is more. Either way no
   * more than {@link PART_OF_A_SMALL_POOL}, unless the account may hold more.
   */
  quarantineAllowance: number;
}

/** The percentage of a pool, one address at least, beyond which no fixed number lets an account go: others find some. */
export const PART_OF_A_SMALL_POOL = 50;

/** Percentages of {@link PoolShareRules} that an operator set for one account; null where the rule of all stands. */
export interface PoolShareOverrides {
  heldPercent: number | null;
  perHourPercent: number | null;
}

/** What an account has of a pool, in addresses. */
export interface AccountUse {
  held: number;
  /** Released by it, and not available yet: a host must still detach, or the quarantine has not passed. */
  quarantined: number;
  /** Released by it within the last hour, except what needed no quarantine, and held by nobody since. */
  releasedWithinHour: number;
}

/** What {@link poolShareRejection} decides by. */
export interface PoolShareFacts {
  /** Reserved IPs that the account may hold. */
  limit: number;
  overrides: PoolShareOverrides;
  use: AccountUse;
  /** Addresses of the pool that can be given to anybody. */
  size: number;
  /** Those that could be reserved now; null when they were not counted, which is taken as none. */
  free: number | null;
}

/** Why an account gets no further address of a pool although there is one. */
export type PoolShareRejection = 'cooldown_limit_reached' | 'pool_share_reached';

/** Decides whether an account may take one more address of a pool; null when it may. */
export function poolShareRejection(facts: PoolShareFacts, rules: PoolShareRules): PoolShareRejection | null {
  const { limit, overrides, use, size, free } = facts;
  const heldPercent = overrides.heldPercent ?? rules.heldPercent;
  const perHourPercent = overrides.perHourPercent ?? rules.perHourPercent;
  const mostQuarantined = Math.max(1, partOf(size, Math.max(heldPercent, PART_OF_A_SMALL_POOL)));
  if (use.quarantined >= Math.min(Math.max(limit, rules.quarantineAllowance), mostQuarantined))
    return 'cooldown_limit_reached';
  const minimum = Math.min(rules.minimum, Math.max(1, partOf(size, PART_OF_A_SMALL_POOL)));
  const withinShares =
    use.held + use.quarantined < Math.max(minimum, partOf(size, heldPercent)) &&
    use.releasedWithinHour < Math.max(minimum, partOf(size, perHourPercent));
  return withinShares || (free ?? 0) >= plentyOf(size, rules) ? null : 'pool_share_reached';
}

/** A percentage of a pool in whole addresses; of 100 or more it is no bound. */
function partOf(size: number, percent: number): number {
  return percent >= 100 ? Number.POSITIVE_INFINITY : Math.floor((size * percent) / 100);
}

/** With so many free addresses of a pool the shares do not bind, so nobody counts further; with 100 percent they always do. */
export function plentyOf(size: number, { bindsBelowFreePercent: percent }: PoolShareRules): number {
  return percent >= 100 ? size + 1 : Math.ceil((size * percent) / 100);
}
