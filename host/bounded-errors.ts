import type { Logger } from 'pino';

/** A line names so many of what it is about, and counts the rest. */
const MOST_NAMED = 10;
const BETWEEN_LINES_MS = 1_000;

interface Collected {
  entries: number;
  reasons: string[];
}

/**
 * Logs errors that whoever is asked can cause without end: one line a second of each kind. What comes in between is
 * counted, and is in the next line.
 */
export class BoundedErrors {
  readonly #logger: Logger;
  /** What came since the last line of each kind that had one within the last second. */
  readonly #collected = new Map<string, Collected>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Logs the reasons in one line, now or within a second. */
  report(kind: string, reasons: readonly string[]): void {
    if (reasons.length === 0) return;
    const collected = this.#collected.get(kind) ?? this.#begin(kind);
    collected.entries += reasons.length;
    collected.reasons.push(...reasons.slice(0, MOST_NAMED - collected.reasons.length));
  }

  /** Logs at once what still waits for its line. */
  flush(): void {
    for (const [kind, collected] of this.#collected) this.#write(kind, collected);
    this.#collected.clear();
  }

  /** The first line is that of the turn of the event loop in which it begins, the next comes a second later. */
  #begin(kind: string): Collected {
    const first: Collected = { entries: 0, reasons: [] };
    this.#collected.set(kind, first);
    queueMicrotask(() => {
      if (this.#collected.get(kind) !== first) return;
      this.#write(kind, first);
      this.#wait(kind);
    });
    return first;
  }

  #wait(kind: string): void {
    const next: Collected = { entries: 0, reasons: [] };
    this.#collected.set(kind, next);
    setTimeout(() => {
      if (this.#collected.get(kind) !== next) return;
      this.#write(kind, next);
      if (next.entries > 0) this.#wait(kind);
      else this.#collected.delete(kind);
    }, BETWEEN_LINES_MS).unref();
  }

  #write(kind: string, { entries, reasons }: Collected): void {
    if (entries > 0) this.#logger.error({ entries, reasons }, kind);
  }
}
