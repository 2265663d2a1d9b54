import type { OperationRules } from '../../db/operations/admit.ts';

/** Rules for a test that admits operations by itself, without a process that is configured. */
export function operationRules(quarantineSeconds: number): OperationRules {
  const poolShare = {
    heldPercent: 50,
    perHourPercent: 25,
    minimum: 32,
    bindsBelowFreePercent: 50,
    quarantineAllowance: 10,
  };
  return { quarantineSeconds, poolShare };
}
