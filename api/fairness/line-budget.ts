import type { Logger } from 'pino';

const SECOND_MS = 1_000;

/** Options of {@link LineBudget}. */
export interface LineBudgetOptions {
  logger: Logger;
  /** Lines a second of each kind. */
  perSecond: number;
}

/**
 * Bounds the lines about requests that were rejected: so many a second of each kind, and one that counts the rest, so that
 * a flood fills no disk and hides nothing.
 */
export class LineBudget {
  readonly #options: LineBudgetOptions;
  readonly #kinds = new Map<string, { written: number; left_out: number }>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LineBudgetOptions) {
    this.#options = options;
  }

  /** Whether a line of this kind may be written now; counts it. There are few kinds: none is made of what a client sends. */
  allows(kind: string): boolean {
    const counts = this.#kinds.get(kind) ?? { written: 0, left_out: 0 };
    this.#kinds.set(kind, counts);
    this.#timer ??= setTimeout(() => this.#endSecond(), SECOND_MS).unref();
    if (counts.written < this.#options.perSecond) {
      counts.written++;
      return true;
    }
    counts.left_out++;
    return false;
  }

  #endSecond(): void {
    this.#timer = undefined;
    for (const [kind, { left_out: count }] of this.#kinds) {
      if (count > 0) this.#options.logger.warn({ kind, count }, 'more of the same were left out of the log');
    }
    this.#kinds.clear();
  }
}
