import { setTimeout as sleep } from 'node:timers/promises';
import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import { tookTooLong } from '../errors.ts';

/** Options of {@link timeLimit}. */
export interface TimeLimitOptions {
  /** Most time until the answer, in milliseconds; default 20,000, which is more than all waits of an operation. */
  milliseconds?: number;
}

/**
 * Answers 503 when a handler has not answered in time, whatever it waits for. The handler goes on: what it has begun is
 * durable, and a repetition with the same Idempotency-Key finds it.
 */
export function timeLimit({ milliseconds = 20_000 }: TimeLimitOptions = {}) {
  return createMiddleware<ApiEnvironment>(async function timeLimit(_, next) {
    const timer = new AbortController();
    const late = sleep(milliseconds, 'late' as const, { signal: timer.signal }).catch(() => undefined);
    const answered = next();
    const first = await Promise.race([answered, late]).finally(() => timer.abort());
    if (first === 'late') throw tookTooLong();
    await answered;
  });
}
