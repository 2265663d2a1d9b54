import { sql } from 'kysely';
import { v4 as uuidv4 } from 'uuid';
import type { PoolShareOverrides } from '../domain/pool-share.ts';
import type { Database } from './database.ts';

/** An account as operators see it. */
export interface ProvisionedAccount {
  id: number;
  uuid: string;
  name: string;
  email: string;
  reservedIpLimit: number;
  dropletLimit: number;
  poolShare: PoolShareOverrides;
  createdAt: Date;
}

/** The most of each that an account may have. */
export interface AccountLimits {
  reservedIpLimit: number;
  dropletLimit: number;
}

function selectAccounts(db: Database) {
  return db
    .selectFrom('accounts')
    .select([
      'id',
      'uuid',
      'name',
      'email',
      'reserved_ip_limit as reservedIpLimit',
      'droplet_limit as dropletLimit',
      'pool_share_held_percent as heldPercent',
      'pool_share_per_hour_percent as perHourPercent',
      'created_at as createdAt',
    ]);
}

type SelectedAccount = Awaited<ReturnType<ReturnType<typeof selectAccounts>['executeTakeFirstOrThrow']>>;

function toAccount({ heldPercent, perHourPercent, ...account }: SelectedAccount): ProvisionedAccount {
  return { ...account, poolShare: { heldPercent, perHourPercent } };
}

/** All accounts, oldest first. */
export async function listAccounts(db: Database): Promise<ProvisionedAccount[]> {
  return (await selectAccounts(db).orderBy('id').execute()).map(toAccount);
}

/** Makes an account. */
export async function createAccount(
  db: Database,
  account: AccountLimits & { name: string; email: string },
): Promise<ProvisionedAccount> {
  const { insertId } = await db
    .insertInto('accounts')
    .values({
      uuid: uuidv4(),
      name: account.name,
      email: account.email,
      reserved_ip_limit: account.reservedIpLimit,
      droplet_limit: account.dropletLimit,
    })
    .executeTakeFirstOrThrow();
  return toAccount(await selectAccounts(db).where('id', '=', Number(insertId)).executeTakeFirstOrThrow());
}

/** What an operator sets for one account; what is undefined stays. */
export type AccountLimitChanges = { [Limit in keyof AccountLimits]: number | undefined } & {
  [Share in keyof PoolShareOverrides]: PoolShareOverrides[Share] | undefined;
};

/** Changes an account's limits. Null when there is no such account. */
export async function changeAccountLimits(
  db: Database,
  accountId: number,
  { reservedIpLimit, dropletLimit, heldPercent, perHourPercent }: AccountLimitChanges,
): Promise<ProvisionedAccount | null> {
  const changes = {
    ...(heldPercent !== undefined && { pool_share_held_percent: heldPercent }),
    ...(perHourPercent !== undefined && { pool_share_per_hour_percent: perHourPercent }),
    ...(reservedIpLimit !== undefined && { reserved_ip_limit: reservedIpLimit }),
    ...(dropletLimit !== undefined && { droplet_limit: dropletLimit }),
  };
  if (Object.keys(changes).length > 0) {
    await db.updateTable('accounts').set(changes).where('id', '=', accountId).execute();
  }
  const account = await selectAccounts(db).where('id', '=', accountId).executeTakeFirst();
  return account ? toAccount(account) : null;
}

/** A customer's token to be stored; of the token itself only the hash is. */
export interface NewToken {
  accountId: number;
  name: string;
  hash: Buffer;
  scopes: string[];
  requestsPerMinute: number;
  requestsPerHour: number;
}

/** Stores a token and answers its number; null when there is no such account. */
export async function addToken(db: Database, token: NewToken): Promise<number | null> {
  const account = await db.selectFrom('accounts').select('id').where('id', '=', token.accountId).executeTakeFirst();
  if (!account) return null;
  const { insertId } = await db
    .insertInto('tokens')
    .values({
      account_id: account.id,
      name: token.name,
      hash: token.hash,
      scopes: token.scopes.join(' '),
      requests_per_minute: token.requestsPerMinute,
      requests_per_hour: token.requestsPerHour,
      revoked_at: null,
    })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

/** Revokes a token; revoking it again changes nothing. False when the account has no such token. */
export async function revokeToken(db: Database, accountId: number, tokenId: number): Promise<boolean> {
  const result = await db
    .updateTable('tokens')
    .set({ revoked_at: sql<Date>`COALESCE(revoked_at, NOW(3))` })
    .where('id', '=', tokenId)
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
  return Number(result.numUpdatedRows) > 0;
}
