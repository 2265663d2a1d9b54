import type { CodePath } from './code-paths.ts';
import type { Flags } from './flags/flags.ts';
import type { UpstreamName } from './upstream/upstream.ts';
import type { Caller, Users } from './users.ts';

/** Why a request goes where it goes; in the access log. */
export type Reason = 'flag' | 'flag_failure' | 'user_failure' | 'rule';

/** Where a request goes. */
export interface Choice {
  upstream: UpstreamName;
  reason: Reason;
  /** Whose flag was asked. */
  user?: string;
}

/** What choices are made by. */
export interface ChoiceOptions {
  flags: Flags;
  users: Users;
  /** Where what has no flag and no rule goes. */
  defaultUpstream: UpstreamName;
}

/** Asks the flag of a code path for the user behind a request. Whatever cannot be known means legacy. */
export async function chooseByFlag(
  { flags, users }: ChoiceOptions,
  codePath: CodePath,
  caller: Caller,
): Promise<Choice> {
  const user = await users.userOf(caller);
  if (user === null) return { upstream: 'legacy', reason: 'user_failure' };
  const { isNew, usable } = await flags.ask(codePath, user);
  return { upstream: isNew ? 'new' : 'legacy', reason: usable ? 'flag' : 'flag_failure', user };
}

/**
 * For a request that may be on any of several code paths, since another reader may find in it what the gateway does not.
 * A user who is on the new upstream with all of them is not to reach legacy by it; for any other it goes by the rule.
 */
export async function chooseByAllFlags(
  { flags, users, defaultUpstream }: ChoiceOptions,
  codePaths: readonly CodePath[],
  caller: Caller,
): Promise<Choice> {
  const byRule: Choice = { upstream: defaultUpstream, reason: 'rule' };
  if (defaultUpstream === 'new') return byRule;
  const user = await users.userOf(caller);
  if (user === null) return { upstream: defaultUpstream, reason: 'user_failure' };
  for (const codePath of codePaths) {
    const { isNew } = await flags.ask(codePath, user);
    if (!isNew) return byRule;
  }
  return { upstream: 'new', reason: 'flag', user };
}
