import type { Context } from 'hono';
import type { Logger } from 'pino';
import { appendEntry } from '../../db/audit-log.ts';
import type { Database } from '../../db/database.ts';
import type { TokenOwner } from '../../domain/tokens.ts';
import { TooManyWaitingError } from '../../platform/fairness/fair-gate.ts';
import { partyOfAddress } from '../../platform/fairness/party.ts';
import { TokenLookUps, TooManyWrongTokensError } from '../../platform/fairness/token-look-ups.ts';
import type { ApiEnvironment } from '../context.ts';
import { tooManyRequests, unauthorized } from '../errors.ts';
import type { RemoteAddresses } from './remote-address.ts';

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

const REPORT_EVERY_MS = 60_000;

/**
 * Makes wrong tokens cheap and slow to try. An address that has sent too many of them is answered 429 for tokens that are
 * not known; those that were right before, and those from other addresses, work as ever. Operators see the attempts in
 * the log and, for tokens of hosts and operators, in the audit log: one entry a minute.
 */
export class WrongTokens<Found> {
  readonly #options: WrongTokensOptions;
  readonly #lookUps: TokenLookUps<Found>;
  #report: { count: number; lastFrom: string } | null = null;

  constructor(options: WrongTokensOptions) {
    this.#options = options;
    this.#lookUps = new TokenLookUps(options.perMinute);
  }

  /**
   * What `lookUp` finds for a token by its hash. Throws 401 when it finds nothing, and 429 when the address has sent too
   * many wrong ones and this one was not right within the last hour.
   */
  async find(c: Context<ApiEnvironment>, hash: string, lookUp: () => Promise<Found | null>): Promise<Found> {
    const party = this.#partyOf(c);
    try {
      const found = await this.#lookUps.find(party, hash, lookUp);
      if (found !== null) return found;
    } catch (error) {
      if (error instanceof TooManyWaitingError) throw tooManyRequests(1);
      if (!(error instanceof TooManyWrongTokensError)) throw error;
      this.#count(party);
      throw tooManyRequests(error.wait);
    }
    throw this.failed(c);
  }

  /** Throws 429 when the address has sent too many wrong tokens: before a token is compared, so that guessing is slow. */
  rejectTooMany(c: Context<ApiEnvironment>): void {
    const party = this.#partyOf(c);
    const wait = this.#lookUps.wait(party);
    if (wait === 0) return;
    this.#count(party);
    throw tooManyRequests(wait);
  }

  /** Counts a wrong token, and answers the error to throw. */
  failed(c: Context<ApiEnvironment>): Error {
    const address = this.#options.addresses.of(c);
    const party = partyOfAddress(address);
    this.#count(address);
    const wait = this.#lookUps.wait(party);
    if (wait > 0) return tooManyRequests(wait);
    this.#lookUps.countWrong(party);
    return unauthorized();
  }

  #partyOf(c: Context<ApiEnvironment>): string {
    return partyOfAddress(this.#options.addresses.of(c));
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
