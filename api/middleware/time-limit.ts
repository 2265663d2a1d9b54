import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import { outcomeUnknown, tookTooLong } from '../errors.ts';

/** Options of {@link timeLimit}. */
export interface TimeLimitOptions {
  /** Most time until the answer, in milliseconds; default 20,000, which is more than all waits of an operation. */
  milliseconds?: number;
}

const READS = new Set(['GET', 'HEAD']);

/**
 * Answers in place of a handler that has not answered in time: 503 to a read. A change continues, what it has begun is
 * durable, and a repetition with the same Idempotency-Key finds it; so its answer is 504, which does not claim that nothing
 * was changed.
 */
export function timeLimit({ milliseconds = 20_000 }: TimeLimitOptions = {}) {
  return createMiddleware<ApiEnvironment>(async function timeLimit(c, next) {
    const late = Promise.withResolvers<'late'>();
    const timer = setTimeout(() => late.resolve('late'), milliseconds);
    const answered = next();
    const first = await Promise.race([answered, late.promise]).finally(() => clearTimeout(timer));
    if (first === 'late') throw READS.has(c.req.method) ? tookTooLong() : outcomeUnknown();
    await answered;
  });
}
