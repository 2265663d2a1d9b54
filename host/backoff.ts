import { setTimeout as sleep } from 'node:timers/promises';

/** Waits between attempts: each wait is random up to a bound that doubles, so that hosts do not come back all at once. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  #boundMs: number;

  constructor({ firstMs, longestMs }: { firstMs: number; longestMs: number }) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
    this.#boundMs = firstMs;
  }

  /** Waits before the next attempt, at most until the signal is aborted. */
  async wait(signal: AbortSignal): Promise<void> {
    const milliseconds = this.#boundMs * (0.5 + Math.random() / 2);
    this.#boundMs = Math.min(this.#boundMs * 2, this.#longestMs);
    await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
  }

  /** An attempt succeeded. */
  reset(): void {
    this.#boundMs = this.#firstMs;
  }
}
