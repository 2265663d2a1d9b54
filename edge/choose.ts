import type { CodePath } from './code-paths.ts';
import type { Flags } from './flags/flags.ts';
import type { Stack } from './upstream/upstream.ts';
import type { Users } from './users.ts';

/** Why a request goes where it goes; in the access log. */
export type Reason = 'flag' | 'flag_failure' | 'user_failure' | 'rule';

/** Where a request goes. */
export interface Choice {
  stack: Stack;
  reason: Reason;
  /** Whose flag was asked. */
  user?: string;
}

/** Asks the flag of a code path for the user behind a request. Whatever cannot be known means legacy. */
export async function chooseByFlag(
  { flags, users }: { flags: Flags; users: Users },
  codePath: CodePath,
  authorization: string | undefined,
): Promise<Choice> {
  const user = await users.userOf(authorization);
  if (user === null) return { stack: 'legacy', reason: 'user_failure' };
  const { isNew, usable } = await flags.ask(codePath, user);
  return { stack: isNew ? 'new' : 'legacy', reason: usable ? 'flag' : 'flag_failure', user };
}
