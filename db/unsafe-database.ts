import { ReadableError } from '../platform/text/readable-error.ts';

/**
 * The server, or a session on it, is one on which requests could not be served safely. The message is one line that
 * names what was found and what is wanted.
 */
export class UnsafeDatabaseError extends ReadableError {
  override readonly name = 'UnsafeDatabaseError';
  /** A session variable, or `version`. */
  readonly subject: string;
  readonly found: string;
  readonly wanted: string;

  constructor(subject: string, found: string, wanted: string, cause?: unknown) {
    super(`The database cannot be used safely: ${subject} is ${found}, and must be ${wanted}.`, { cause });
    this.subject = subject;
    this.found = found;
    this.wanted = wanted;
  }
}
