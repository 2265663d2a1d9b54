import type { Database } from '../../db/database.ts';
import { listRaisedHosts, type RaisedHost } from '../../db/raised-hosts.ts';

/** What one tick has found. */
export interface Tick {
  /** The hosts that were given commands lately. */
  raised: RaisedHost[];
  /** The tick before is so recent that the two together have missed no host. */
  unbroken: boolean;
}

/** Options of {@link Ticks}. */
export interface TicksOptions {
  db: Database;
  /** How far back a tick looks, in milliseconds. */
  lookbackMs: number;
  /** The longest time from one tick to the next after which the two still miss no host, in milliseconds. */
  longestGapMs: number;
}

/**
 * The question which hosts were given commands lately: one range of the index on `hosts.signalled_at`, so it costs the
 * same for ten idle hosts and for ten thousand. When it is asked is up to the caller.
 */
export class Ticks {
  readonly #options: TicksOptions;
  readonly #listeners: ((tick: Tick) => void)[] = [];
  /** Who waits for a tick that is still to begin. */
  #next: PromiseWithResolvers<boolean> | null = null;
  /** When the newest successful tick began. */
  #newestAt = Number.NEGATIVE_INFINITY;

  constructor(options: TicksOptions) {
    this.#options = options;
  }

  /** Has the listener hear what each tick has found, before anyone who waits for the tick. */
  onTick(listener: (tick: Tick) => void): void {
    this.#listeners.push(listener);
  }

  /** Waits for a tick that begins after this call; false when it fails or {@link abandon} is called. */
  next(): Promise<boolean> {
    this.#next ??= Promise.withResolvers<boolean>();
    return this.#next.promise;
  }

  get isAwaited(): boolean {
    return this.#next !== null;
  }

  /** When the newest successful tick began, on the clock of `performance.now()`. */
  get newestAt(): number {
    return this.#newestAt;
  }

  /** Asks once. Throws the database's own errors. */
  async tick(): Promise<void> {
    const awaited = this.#next;
    this.#next = null;
    try {
      await this.#ask();
      awaited?.resolve(true);
    } catch (error) {
      awaited?.resolve(false);
      throw error;
    }
  }

  /** Tells those who wait for a tick that none will come. */
  abandon(): void {
    this.#next?.resolve(false);
    this.#next = null;
  }

  async #ask(): Promise<void> {
    const { db, lookbackMs, longestGapMs } = this.#options;
    const startedAt = performance.now();
    const raised = await listRaisedHosts(db, lookbackMs);
    // After a long break the lookback does not reach back to the last tick.
    const unbroken = startedAt - this.#newestAt <= longestGapMs;
    this.#newestAt = startedAt;
    for (const listener of this.#listeners) listener({ raised, unbroken });
  }
}
