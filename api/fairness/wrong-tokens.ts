import type { Context } from 'hono';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { appendEntry } from '../../db/audit-log.ts';
import type { Database } from '../../db/database.ts';
import type { TokenOwner } from '../../domain/tokens.ts';
import type { ApiEnvironment } from '../context.ts';
import { tooManyRequests, unauthorized } from '../errors.ts';
import { Allowance } from './allowance.ts';
import { FairGate, TooManyWaitingError } from './fair-gate.ts';
import { partyOfAddress, type RemoteAddresses } from './remote-address.ts';

/** Options of {@link WrongTokens}. */
export interface WrongTokensOptions {
  db: Database;
  logger: Logger;
  /** Whose tokens are tried. */
  kind: TokenOwner;
  addresses: RemoteAddresses;
  /** Wrong tokens of one address a minute. */
  perMinute: number;
}

const MINUTE = 60;
/** How long a token that was not found is not looked for again. No token is made that was tried before. */
const REMEMBERED_WRONG_MS = 60_000;
/** How long a token that was found is looked for although its address has sent too many wrong ones. */
const REMEMBERED_RIGHT_MS = 3_600_000;
const MOST_REMEMBERED = 10_000;
/** Look-ups of unknown tokens at a time: a small part of the connections to the database. */
const LOOK_UPS = { atOnce: 6, eachAtOnce: 3, eachWaiting: 100 };
const REPORT_EVERY_MS = 60_000;

/**
 * Makes wrong tokens cheap and slow to try. An address that has sent too many of them is answered 429 for tokens that are
 * not known; those that were right before, and those from other addresses, work as ever. Operators see the attempts in
 * the log and, for tokens of hosts and operators, in the audit log: one entry a minute.
 */
export class WrongTokens<Found> {
  readonly #options: WrongTokensOptions;
  readonly #allowance: Allowance;
  readonly #gate = new FairGate(LOOK_UPS);
  readonly #wrong = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_WRONG_MS });
  readonly #right = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_RIGHT_MS });
  /** Look-ups in progress by hash, so that many requests with one token are one look-up. */
  readonly #lookUps = new Map<string, Promise<Found | null>>();
  #report: { count: number; lastFrom: string } | null = null;

  constructor(options: WrongTokensOptions) {
    this.#options = options;
    this.#allowance = new Allowance({ perSecond: options.perMinute / MINUTE, most: options.perMinute });
  }

  /**
   * What `lookUp` finds for a token by its hash. Throws 401 when it finds nothing, and 429 when the address has sent too
   * many wrong ones and this one was not right within the last hour.
   */
  async find(c: Context<ApiEnvironment>, hash: string, lookUp: () => Promise<Found | null>): Promise<Found> {
    const party = this.#partyOf(c);
    const wasRight = this.#right.has(hash);
    if (!wasRight && !this.#lookUps.has(hash)) this.#refuseTooMany(party);
    if (this.#wrong.has(hash)) throw this.failed(c);
    const found = await (this.#lookUps.get(hash) ??
      this.#begin(hash, wasRight ? lookUp : () => this.#limited(party, lookUp)));
    if (found === null) {
      this.#wrong.set(hash, true);
      this.#right.delete(hash);
      throw this.failed(c);
    }
    this.#right.set(hash, true);
    return found;
  }

  /** Throws 429 when the address has sent too many wrong tokens: before a token is compared, so that guessing is slow. */
  refuseTooMany(c: Context<ApiEnvironment>): void {
    this.#refuseTooMany(this.#partyOf(c));
  }

  /** Counts a wrong token, and answers the error to throw. */
  failed(c: Context<ApiEnvironment>): Error {
    const address = this.#options.addresses.of(c);
    const party = partyOfAddress(address);
    this.#count(address);
    const wait = this.#allowance.wait(party);
    if (wait > 0) return tooManyRequests(wait);
    this.#allowance.spend(party, 1);
    return unauthorized();
  }

  #partyOf(c: Context<ApiEnvironment>): string {
    return partyOfAddress(this.#options.addresses.of(c));
  }

  #refuseTooMany(party: string): void {
    const wait = this.#allowance.wait(party);
    if (wait === 0) return;
    this.#count(party);
    throw tooManyRequests(wait);
  }

  #begin(hash: string, lookUp: () => Promise<Found | null>): Promise<Found | null> {
    const found = lookUp().finally(() => this.#lookUps.delete(hash));
    this.#lookUps.set(hash, found);
    return found;
  }

  async #limited(party: string, lookUp: () => Promise<Found | null>): Promise<Found | null> {
    // Taken before the answer is known, so that many at a time do not get past the limit.
    this.#allowance.spend(party, 1);
    try {
      return await this.#gate.run(party, lookUp);
    } catch (error) {
      if (error instanceof TooManyWaitingError) throw tooManyRequests(1);
      throw error;
    } finally {
      this.#allowance.spend(party, -1);
    }
  }

  /** The first attempt of a minute is reported with those that follow within it. */
  #count(lastFrom: string): void {
    if (this.#report) {
      this.#report.count++;
      this.#report.lastFrom = lastFrom;
      return;
    }
    this.#report = { count: 1, lastFrom };
    setTimeout(() => void this.report(), REPORT_EVERY_MS).unref();
  }

  /** Writes what was counted since the last report; nothing when there was nothing. */
  async report(): Promise<void> {
    const report = this.#report;
    this.#report = null;
    if (!report) return;
    const { db, logger, kind } = this.#options;
    logger.warn({ kind, ...report }, 'wrong tokens were sent');
    if (kind === 'customer') return;
    await appendEntry(db, {
      requester: { kind: 'admin', name: null, requestId: null, remote: report.lastFrom },
      accountId: null,
      action: `wrong ${kind} token`,
      subject: kind === 'operator' ? '/internal/v1' : '/host/v1',
      outcome: 'refused',
      detail: `${report.count} within a minute, the last from ${report.lastFrom}`,
      operationId: null,
    }).catch((error: unknown) => logger.warn({ err: error, kind }, 'wrong tokens are missing in the audit log'));
  }
}
