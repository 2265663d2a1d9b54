import type { Logger } from 'pino';

/** Options of {@link termination}. */
export interface TerminationOptions {
  logger: Logger;
  /** Time between the signal and the end of the process, at most, in milliseconds. */
  withinMs: number;
}

/**
 * Aborted by the first SIGTERM or SIGINT. The process may then end in order; when it has not by its time, because a
 * server keeps silent, it is ended with code 1, which loses no more than a crash does: nothing. A second signal ends it
 * at once.
 */
export function termination({ logger, withinMs }: TerminationOptions): AbortSignal {
  const stopping = new AbortController();
  const stop = (signal: NodeJS.Signals) => {
    logger.info({ signal }, 'stopping');
    setTimeout(() => {
      logger.error({ withinMs }, `did not stop within ${withinMs / 1_000} s; other processes take over its tasks`);
      process.exit(1);
    }, withinMs);
    stopping.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, stop);
  return stopping.signal;
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
