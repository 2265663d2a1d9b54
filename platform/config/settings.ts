import type { z } from 'zod';
import { ReadableError } from '../text/readable-error.ts';
import { visible } from '../text/visible.ts';

/*
 * How every process parses its settings, which are in a file `settings.ts` beside its `main.ts`: once at start, from
 * environment variables. One that nothing names has no effect.
 */

/** The environment is missing settings or has wrong ones; the message lists all of them. */
export class ConfigurationError extends ReadableError {
  override readonly name = 'ConfigurationError';
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${visible(problem)}`).join('\n')}`);
    this.problems = problems;
  }
}

/** Environment variables by name. */
export type Environment = Record<string, string | undefined>;

/** How Zod says that a setting is not there. */
const MISSING = /^Invalid input: .* received (undefined|NaN)$/;

/** Parses the settings of one process; a variable that is empty counts as absent. Throws {@link ConfigurationError}. */
export function parseSettings<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.infer<Schema> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  throw new ConfigurationError(
    result.error.issues.map(({ path, message }) => {
      const setting = path.join('.');
      return `${setting}: ${setting in present ? message : message.replace(MISSING, 'is not set')}`;
    }),
  );
}
