import { createHash } from 'node:crypto';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** What a customer's bearer token stands for. */
export interface TokenRecord {
  id: number;
  accountId: number;
  scopes: string[];
  requestsPerMinute: number;
  requestsPerHour: number;
}

/** The form in which tokens are stored and looked up. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The customer's token with this hash, unless it is revoked. */
export async function findToken(db: Database, hash: Buffer): Promise<TokenRecord | null> {
  const row = await db
    .selectFrom('tokens')
    .select(['id', 'account_id', 'scopes', 'requests_per_minute', 'requests_per_hour'])
    .where('hash', '=', hash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst(queryLimit());
  if (!row) return null;
  return {
    id: row.id,
    accountId: row.account_id,
    scopes: row.scopes.split(' ').filter((scope) => scope !== ''),
    requestsPerMinute: row.requests_per_minute,
    requestsPerHour: row.requests_per_hour,
  };
}
