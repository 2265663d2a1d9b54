import type { Database } from './database.ts';

/** When a token was made, used last and revoked. */
interface TokenTimes {
  id: number;
  createdAt: Date;
  lastUsedAt: Date | null;
  lastUsedFrom: string | null;
  revokedAt: Date | null;
}

/** A customer's token as operators see it. */
export interface AccountToken extends TokenTimes {
  name: string;
  scopes: string[];
}

const times = [
  'id',
  'created_at as createdAt',
  'last_used_at as lastUsedAt',
  'last_used_from as lastUsedFrom',
  'revoked_at as revokedAt',
] as const;

/** All tokens of an account, revoked ones too, oldest first; null when there is no such account. */
export async function listAccountTokens(db: Database, accountId: number): Promise<AccountToken[] | null> {
  const account = await db.selectFrom('accounts').select('id').where('id', '=', accountId).executeTakeFirst();
  if (!account) return null;
  const rows = await db
    .selectFrom('tokens')
    .select([...times, 'name', 'scopes'])
    .where('account_id', '=', accountId)
    .orderBy('id')
    .execute();
  return rows.map(({ scopes, ...token }) => ({ ...token, scopes: scopes.split(' ').filter((scope) => scope !== '') }));
}

/** All tokens of a host, revoked ones too, oldest first; null when there is no such host. */
export async function listTokensOfHost(db: Database, hostName: string): Promise<TokenTimes[] | null> {
  const host = await db.selectFrom('hosts').select('id').where('name', '=', hostName).executeTakeFirst();
  if (!host) return null;
  return db.selectFrom('host_tokens').select(times).where('host_id', '=', host.id).orderBy('id').execute();
}
