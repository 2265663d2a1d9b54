import { FlagdCore } from '@openfeature/flagd-core';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { flagOf } from '../../../edge/flags/setting.ts';

/** Says of an account whether it is on the new upstream. */
export type Moved = (accountId: number) => boolean;

/** Whom a flag file moves, asked as the gateways ask it; all code paths in it are set alike. */
export function movedBy(flagFile: string): Moved {
  const flags = new FlagdCore();
  flags.setConfigurations(flagFile);
  const [anyPath = ''] = CODE_PATHS;
  return (accountId) => flags.resolveBooleanEvaluation(anyPath, false, { targetingKey: String(accountId) }).value;
}

/** Whom a percentage moves. */
export function movedByPercentage(percent: number): Moved {
  const flag = flagOf({ on: true, percent, allow: [], deny: [] });
  return movedBy(JSON.stringify({ flags: Object.fromEntries(CODE_PATHS.map((codePath) => [codePath, flag])) }));
}
