import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { findToken, hashToken } from '../db/tokens.ts';
import type { EdgeMetrics } from './metrics.ts';

const BEARER = /^Bearer +([\w.~+/=-]{1,512}) *$/i;

/** The one user that everybody is whose token is unknown or missing. */
export const ANONYMOUS = 'anonymous';

/** Options of {@link Users}. */
export interface UsersOptions {
  db: Database;
  logger: Logger;
  metrics: EdgeMetrics;
  /** How long the account of a token is remembered, in milliseconds; default 60,000. It never changes. */
  cacheMs?: number;
  /** Most tokens remembered; default 10,000. */
  cacheSize?: number;
}

/** Knows whose token a request carries. It only decides the way: whether the token may do anything is for the stacks. */
export class Users {
  readonly #logger: Logger;
  readonly #metrics: EdgeMetrics;
  readonly #accounts: LRUCache<string, string>;

  constructor({ db, logger, metrics, cacheMs = 60_000, cacheSize = 10_000 }: UsersOptions) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#accounts = new LRUCache<string, string>({
      max: cacheSize,
      ttl: cacheMs,
      // An unknown token is not remembered, so that a new one is on its way at once.
      fetchMethod: async (hash, known) => {
        try {
          return (await findToken(db, Buffer.from(hash, 'base64')))?.accountId.toString();
        } catch (error) {
          if (known !== undefined) return known;
          throw error;
        }
      },
    });
  }

  /** The number of the account, as text; {@link ANONYMOUS}; or null when the database cannot say. */
  async userOf(authorization: string | undefined): Promise<string | null> {
    const [, token] = BEARER.exec(authorization ?? '') ?? [];
    if (token === undefined) return ANONYMOUS;
    try {
      return (await this.#accounts.fetch(hashToken(token).toString('base64'))) ?? ANONYMOUS;
    } catch (error) {
      this.#metrics.userFailures.inc();
      this.#logger.error({ err: error }, 'whose token it is cannot be read: the request goes to legacy');
      return null;
    }
  }
}
