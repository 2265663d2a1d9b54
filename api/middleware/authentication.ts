import { createMiddleware } from 'hono/factory';
import { LRUCache } from 'lru-cache';
import type { Database } from '../../db/database.ts';
import { findToken, hashToken } from '../../db/tokens.ts';
import { isTokenOf } from '../../domain/tokens.ts';
import type { ApiEnvironment, Caller } from '../context.ts';
import { forbidden, unauthorized } from '../errors.ts';
import type { Fairness } from '../fairness/fairness.ts';
import type { TokenUses } from '../token-uses.ts';

const BEARER = /^Bearer +([\w.~+/=-]{1,512}) *$/i;

/** Rights that a token may have; `*` stands for all of them. */
export type Scope =
  | 'account:read'
  | 'actions:read'
  | `droplet:${'create' | 'read' | 'update' | 'delete'}`
  | `reserved_ip:${'create' | 'read' | 'update' | 'delete'}`;

/** Options of {@link authentication}. */
export interface AuthenticationOptions {
  db: Database;
  fairness: Fairness;
  tokenUses?: TokenUses;
  /** How long a token is believed without another look; default 900 ms, so that a revocation acts within a second. */
  cacheMs?: number;
  /** Most tokens remembered; default 10000. */
  cacheSize?: number;
}

/** Finds who is calling. What cannot be a token is rejected without a look at the database. */
export function authentication(options: AuthenticationOptions) {
  const { db, fairness, tokenUses, cacheMs = 900, cacheSize = 10_000 } = options;
  const { addresses } = fairness;
  const wrongTokens = fairness.wrongTokens.customer;
  const callers = new LRUCache<string, Caller>({
    max: cacheSize,
    ttl: cacheMs,
    fetchMethod: async (hash) => {
      const token = await findToken(db, Buffer.from(hash, 'base64'));
      if (!token) return undefined;
      const { id, ...rights } = token;
      return { tokenId: id, ...rights };
    },
  });
  return createMiddleware<ApiEnvironment>(async function authentication(c, next) {
    const [, token] = BEARER.exec(c.req.header('authorization') ?? '') ?? [];
    if (token === undefined) throw unauthorized();
    if (!isTokenOf('customer', token)) throw wrongTokens.failed(c);
    const hash = hashToken(token).toString('base64');
    const caller =
      callers.get(hash) ?? (await wrongTokens.find(c, hash, async () => (await callers.fetch(hash)) ?? null));
    c.set('caller', caller);
    tokenUses?.note('customer', caller.tokenId, addresses.of(c));
    await next();
  });
}

/** Lets only tokens with this right through. */
export function requireScope(scope: Scope) {
  return createMiddleware<ApiEnvironment>(async function requireScope(c, next) {
    const { scopes } = c.var.caller;
    if (!scopes.includes('*') && !scopes.includes(scope)) throw forbidden();
    await next();
  });
}
