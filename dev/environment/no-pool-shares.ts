/** Settings for environments whose one customer has all pools: it may hold and release as much of them as it likes. */
export const NO_POOL_SHARES = {
  POOL_SHARE_HELD_PERCENT: '100',
  POOL_SHARE_PER_HOUR_PERCENT: '100',
  COOLDOWN_ALLOWANCE: '1000000',
};
