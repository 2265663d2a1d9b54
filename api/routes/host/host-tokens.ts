import type { Database } from '../../../db/database.ts';
import { findHostByToken, type HostIdentity, listHostTokens } from '../../../db/hosts.ts';

/** How long a token may be believed after it was read; a revoked one stops working within this. */
const BELIEVED_MS = 900;

/**
 * Knows the hosts by their tokens. All tokens are read at once and at most every 900 ms, only when one is asked for, so
 * that the queries do not grow with the hosts; a token that is not among them is looked up by itself, so that a new one
 * works at once.
 */
export class HostTokens {
  readonly #db: Database;
  #known = new Map<string, HostIdentity>();
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(db: Database) {
    this.#db = db;
  }

  /** The host that holds the token with this hash, among the tokens that were read; null when there is none. */
  async known(hash: Buffer): Promise<HostIdentity | null> {
    if (performance.now() - this.#readAt > BELIEVED_MS) await this.#read();
    return this.#known.get(hash.toString('base64')) ?? null;
  }

  /** The host that holds the token with this hash, by a query of its own; null when none does. */
  lookUp(hash: Buffer): Promise<HostIdentity | null> {
    return findHostByToken(this.#db, hash);
  }

  #read(): Promise<void> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    const startedAt = performance.now();
    const tokens = await listHostTokens(this.#db);
    this.#known = new Map(tokens.map(({ hash, host }) => [hash.toString('base64'), host]));
    this.#readAt = startedAt;
  }
}
