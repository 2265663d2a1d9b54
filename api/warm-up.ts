import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { OperationRules } from '../db/operations/admit.ts';
import { prepareDatabase } from '../db/operations/prepare.ts';

/** By then the code by which operations are admitted has run often enough to be compiled. */
const RUNS = 3;

/** Options of {@link ApiWarmUp}. */
export interface ApiWarmUpOptions {
  db: Database;
  rules: OperationRules;
  logger: Pick<Logger, 'warn'>;
  /** Resolves when the worker in this process is warm; there may be none. */
  worker: Promise<void> | null;
  /** How long it may take, in milliseconds. */
  timeoutMs: number;
}

/**
 * Whether an API process is still preparing itself, so that a balancer sends it nobody yet. It is over once, for good: when
 * everything is prepared, when it took too long, or when something that it needs is away, for a warm-up must not keep an
 * installation down.
 */
export class ApiWarmUp {
  #isOver = true;

  /** Whether requests should go to another process for now. */
  get isRunning(): boolean {
    return !this.#isOver;
  }

  /** Ends it, whether all is prepared or not. */
  end(): void {
    this.#isOver = true;
  }

  /** Begins it; does not wait. */
  begin({ db, rules, logger, worker, timeoutMs }: ApiWarmUpOptions): void {
    if (timeoutMs === 0) return;
    this.#isOver = false;
    const timer = setTimeout(() => this.end(), timeoutMs);
    timer.unref();
    const admitting = async () => {
      for (let run = 0; run < RUNS; run += 1) await prepareDatabase(db, rules);
    };
    void Promise.all([admitting(), worker])
      .catch((error: unknown) => logger.warn({ err: error }, 'ready without being warm'))
      .finally(() => {
        clearTimeout(timer);
        this.end();
      });
  }
}
