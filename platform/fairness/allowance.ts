import { LRUCache } from 'lru-cache';

/** Options of {@link Allowance}. */
export interface AllowanceOptions {
  /** What each party is given a second. */
  perSecond: number;
  /** The most that a party may have saved up. */
  most: number;
  /** Parties that are remembered; the one unseen for longest is forgotten first, and begins anew. Default 10,000. */
  parties?: number;
  /** Clock in seconds, which does not run backwards; default the process's. */
  now?: () => number;
}

/**
 * What each party may still ask for. It is given some each second, and whoever has none left waits. One request may cost
 * more than is left: then the party is in debt and waits for longer.
 */
export class Allowance {
  readonly #options: AllowanceOptions;
  readonly #now: () => number;
  readonly #parties: LRUCache<string, { left: number; at: number }>;

  constructor(options: AllowanceOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now() / 1_000);
    this.#parties = new LRUCache({ max: options.parties ?? 10_000 });
  }

  /** Whole seconds until the party has something left; 0 when it has now. */
  wait(party: string): number {
    const { left } = this.#read(party);
    return left >= 1 ? 0 : Math.ceil((1 - left) / this.#options.perSecond);
  }

  /** Takes from what the party has left, into debt if need be. A negative cost gives back. */
  spend(party: string, cost: number): void {
    const { left, at } = this.#read(party);
    this.#parties.set(party, { left: Math.min(this.#options.most, left - cost), at });
  }

  #read(party: string): { left: number; at: number } {
    const at = this.#now();
    const { perSecond, most } = this.#options;
    const known = this.#parties.get(party);
    if (!known) return { left: most, at };
    return { left: Math.min(most, known.left + (at - known.at) * perSecond), at };
  }
}
