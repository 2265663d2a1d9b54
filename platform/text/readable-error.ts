/**
 * A failure that the person at the terminal can act on: its message is complete and made visible, so it is printed
 * without a stack.
 */
export class ReadableError extends Error {
  override readonly name: string = 'ReadableError';
}

/** The shortest text that says what went wrong; connection errors of Node have it in what they were caused by. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  if (error.message === 'fetch failed' && error.cause !== undefined) return reasonOf(error.cause);
  return error.message || error.name;
}
