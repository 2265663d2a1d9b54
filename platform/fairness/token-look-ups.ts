import { LRUCache } from 'lru-cache';
import { Allowance } from './allowance.ts';
import { FairGate } from './fair-gate.ts';

const MINUTE = 60;
/** How long a token that was not found is not looked for again. No token is made that was tried before. */
const REMEMBERED_WRONG_MS = 60_000;
/** How long a token that was found is looked for although its party has sent too many wrong ones. */
const REMEMBERED_RIGHT_MS = 3_600_000;
const MOST_REMEMBERED = 10_000;
/** Look-ups of unknown tokens at a time: a small part of the connections to the database. */
const LOOK_UPS = { atOnce: 6, eachAtOnce: 3, eachWaiting: 100 };

/** A party has sent so many wrong tokens that no further unknown one is looked for. */
export class TooManyWrongTokensError extends Error {
  /** Whole seconds until the next one is. */
  readonly wait: number;

  constructor(party: string, wait: number) {
    super(`${party} has sent too many wrong tokens`);
    this.name = 'TooManyWrongTokensError';
    this.wait = wait;
  }
}

/**
 * Looks for tokens, so that wrong ones are cheap and slow to try: one that was not found is remembered, few are looked
 * for at a time, and a party that has sent too many is heard with those only that were right before.
 */
export class TokenLookUps<Found> {
  readonly #allowance: Allowance;
  readonly #gate = new FairGate(LOOK_UPS);
  readonly #wrong = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_WRONG_MS });
  readonly #right = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_RIGHT_MS });
  /** Look-ups in progress by hash, so that many requests with one token are one look-up. */
  readonly #lookUps = new Map<string, Promise<Found | null>>();

  /** `perMinute`: wrong tokens of one party. */
  constructor(perMinute: number) {
    this.#allowance = new Allowance({ perSecond: perMinute / MINUTE, most: perMinute });
  }

  /** Whole seconds for which unknown tokens of the party are not looked for; 0 when they are. */
  wait(party: string): number {
    return this.#allowance.wait(party);
  }

  /** Counts a wrong token of the party. */
  countWrong(party: string): void {
    this.#allowance.spend(party, 1);
  }

  /**
   * What `lookUp` finds for a token by its hash; null when it finds nothing. Throws {@link TooManyWrongTokensError} when
   * the party has sent too many wrong ones and this one was not right within the last hour, and TooManyWaitingError.
   * Wrong ones are counted by the caller.
   */
  async find(party: string, hash: string, lookUp: () => Promise<Found | null>): Promise<Found | null> {
    if (this.#wrong.has(hash)) return null;
    const found = await (this.#lookUps.get(hash) ?? this.#begin(party, hash, lookUp));
    if (found === null) {
      this.#wrong.set(hash, true);
      this.#right.delete(hash);
    } else {
      this.#right.set(hash, true);
    }
    return found;
  }

  #begin(party: string, hash: string, lookUp: () => Promise<Found | null>): Promise<Found | null> {
    const wasRight = this.#right.has(hash);
    const wait = wasRight ? 0 : this.wait(party);
    if (wait > 0) throw new TooManyWrongTokensError(party, wait);
    const found = (wasRight ? lookUp() : this.#limited(party, lookUp)).finally(() => this.#lookUps.delete(hash));
    this.#lookUps.set(hash, found);
    return found;
  }

  async #limited(party: string, lookUp: () => Promise<Found | null>): Promise<Found | null> {
    // Taken before the answer is known, so that many at a time do not get past the limit.
    this.#allowance.spend(party, 1);
    try {
      return await this.#gate.run(party, lookUp);
    } finally {
      this.#allowance.spend(party, -1);
    }
  }
}
