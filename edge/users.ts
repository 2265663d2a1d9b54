import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { findToken, hashToken } from '../db/tokens.ts';
import { isTokenOf } from '../domain/tokens.ts';
import { TooManyWaitingError } from '../platform/fairness/fair-gate.ts';
import { partyOfAddress } from '../platform/fairness/party.ts';
import { TokenLookUps, TooManyWrongTokensError } from '../platform/fairness/token-look-ups.ts';
import { UnknownTokenRejectedError } from './errors.ts';
import type { EdgeMetrics } from './metrics.ts';

const BEARER = /^Bearer +([\w.~+/=-]{1,512}) *$/i;

/** The one user that everybody is whose token is unknown or missing. */
export const ANONYMOUS = 'anonymous';

/** Options of {@link Users}. */
export interface UsersOptions {
  db: Database;
  logger: Logger;
  metrics: EdgeMetrics;
  /** Wrong tokens of one address a minute that are looked for. */
  wrongTokensPerMinute: number;
  /** How long the account of a token is remembered, in milliseconds; default 60,000. It never changes. */
  cacheMs?: number;
  /** Most tokens remembered; default 10,000. */
  cacheSize?: number;
}

/** What is known of a request's caller before its token is read. */
export interface Caller {
  authorization: string | undefined;
  /** Where it calls from. */
  address: string;
}

/**
 * Knows whose token a request carries. It only decides the way: whether the token may do anything is for the upstreams, and
 * so is the answer to a wrong one. Only the looks at the database are limited here.
 */
export class Users {
  readonly #logger: Logger;
  readonly #metrics: EdgeMetrics;
  readonly #accounts: LRUCache<string, string>;
  readonly #lookUps: TokenLookUps<string>;

  constructor({ db, logger, metrics, wrongTokensPerMinute, cacheMs = 60_000, cacheSize = 10_000 }: UsersOptions) {
    this.#logger = logger;
    this.#metrics = metrics;
    this.#lookUps = new TokenLookUps(wrongTokensPerMinute);
    this.#accounts = new LRUCache<string, string>({
      max: cacheSize,
      ttl: cacheMs,
      // It is believed when the database does not answer.
      noDeleteOnStaleGet: true,
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

  /**
   * The number of the account, as text; {@link ANONYMOUS}; or null when the database cannot say. Throws
   * {@link UnknownTokenRejectedError} for a token that is not known when its address has sent too many wrong ones.
   */
  async userOf({ authorization, address }: Caller): Promise<string | null> {
    const [, token] = BEARER.exec(authorization ?? '') ?? [];
    if (token === undefined || !isTokenOf('customer', token)) return ANONYMOUS;
    const hash = hashToken(token).toString('base64');
    const known = this.#accounts.get(hash);
    if (known !== undefined) return known;
    try {
      const party = partyOfAddress(address);
      return (await this.#lookUps.find(party, hash, () => this.#lookUp(party, hash))) ?? ANONYMOUS;
    } catch (error) {
      if (error instanceof TooManyWrongTokensError) throw new UnknownTokenRejectedError(error.wait);
      if (error instanceof TooManyWaitingError) throw new UnknownTokenRejectedError(1);
      this.#metrics.userFailures.inc();
      this.#logger.error({ err: error }, 'whose token it is cannot be read: the request goes to legacy');
      return null;
    }
  }

  /** A wrong token counts when it is looked for, not when it is remembered. */
  async #lookUp(party: string, hash: string): Promise<string | null> {
    const account = (await this.#accounts.fetch(hash)) ?? null;
    if (account === null) this.#lookUps.countWrong(party);
    return account;
  }
}
