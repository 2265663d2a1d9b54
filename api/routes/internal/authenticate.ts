import { createHash, timingSafeEqual } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import { LRUCache } from 'lru-cache';
import type { Database } from '../../../db/database.ts';
import { findOperator } from '../../../db/operator-tokens.ts';
import { BOOTSTRAP_OPERATOR } from '../../../domain/requester.ts';
import { isTokenOf } from '../../../domain/tokens.ts';
import type { ApiEnvironment, Operator } from '../../context.ts';
import { unauthorized } from '../../errors.ts';
import type { Fairness } from '../../fairness/fairness.ts';
import type { TokenUses } from '../../token-uses.ts';

const BEARER = /^Bearer +(\S{1,512})$/i;
/** How long a token is believed without another look, so that a revocation acts within a second. */
const BELIEVED_MS = 900;
const MOST_REMEMBERED = 1_000;

/** Options of {@link authenticateOperator}. */
export interface AuthenticateOperatorOptions {
  db: Database;
  adminToken: string;
  fairness: Fairness;
  tokenUses?: TokenUses;
}

/**
 * Lets operators in by tokens of their own, or by the admin token, and leaves `operator` for the handlers. Hashes are
 * compared, so that neither content nor length shows in the time. An address that has sent too many wrong tokens is
 * rejected before that; right ones from other addresses work as ever.
 */
export function authenticateOperator({ db, adminToken, fairness, tokenUses }: AuthenticateOperatorOptions) {
  const wrongTokens = fairness.wrongTokens.operator;
  const adminHash = sha256(adminToken);
  const operators = new LRUCache<string, Operator & { tokenId: number }>({ max: MOST_REMEMBERED, ttl: BELIEVED_MS });
  return createMiddleware<ApiEnvironment>(async function authenticateOperator(c, next) {
    const [, token] = BEARER.exec(c.req.header('authorization') ?? '') ?? [];
    if (token === undefined) throw unauthorized();
    wrongTokens.rejectTooMany(c);
    const hash = sha256(token);
    if (timingSafeEqual(hash, adminHash)) {
      c.set('operator', { name: BOOTSTRAP_OPERATOR, tokenId: null });
    } else {
      if (!isTokenOf('operator', token)) throw wrongTokens.failed(c);
      const key = hash.toString('base64');
      const operator = operators.get(key) ?? (await wrongTokens.find(c, key, () => findOperator(db, hash)));
      operators.set(key, operator, { noUpdateTTL: operators.has(key) });
      c.set('operator', operator);
      tokenUses?.note('operator', operator.tokenId, fairness.addresses.of(c));
    }
    await next();
  });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
