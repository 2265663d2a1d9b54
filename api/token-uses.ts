import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { type TokenUse, writeTokenUses } from '../db/token-uses.ts';
import type { TokenOwner } from '../domain/tokens.ts';

const OWNERS = ['customer', 'host', 'operator'] as const;
const LARGEST_WRITE = 500;
/** Tokens of one kind that are remembered between two writes; uses of further ones are not noted. */
const MOST_REMEMBERED = 50_000;

/** Options of {@link TokenUses}. */
export interface TokenUsesOptions {
  db: Database;
  logger: Logger;
  /** Time between two writes, in milliseconds. */
  everyMs: number;
}

/**
 * Notes when and from where each token was used last. A request only notes it in memory; what was noted is written now and
 * then, many tokens in one statement. What a process that is killed had noted is lost.
 */
export class TokenUses {
  readonly #db: Database;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #noted: Record<TokenOwner, Map<number, TokenUse>> = {
    customer: new Map(),
    host: new Map(),
    operator: new Map(),
  };

  constructor({ db, logger, everyMs }: TokenUsesOptions) {
    this.#db = db;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.write(), everyMs).unref();
  }

  /** Notes a use at this moment. */
  note(owner: TokenOwner, tokenId: number, from: string): void {
    const noted = this.#noted[owner];
    if (noted.size < MOST_REMEMBERED || noted.has(tokenId)) noted.set(tokenId, { tokenId, at: new Date(), from });
  }

  /** Writes what was noted since the last write. What could not be written is dropped: the next use is noted again. */
  async write(): Promise<void> {
    const noted = OWNERS.map((owner) => ({ owner, uses: [...this.#noted[owner].values()] }));
    for (const owner of OWNERS) this.#noted[owner].clear();
    try {
      for (const { owner, uses } of noted) {
        for (let begin = 0; begin < uses.length; begin += LARGEST_WRITE) {
          await writeTokenUses(this.#db, owner, uses.slice(begin, begin + LARGEST_WRITE));
        }
      }
    } catch (error) {
      this.#logger.warn({ err: error }, 'the last use of tokens could not be written');
    }
  }

  /** Writes a last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.write();
  }
}
