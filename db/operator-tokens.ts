import { sql } from 'kysely';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** A token of an operator, as operators see it. */
export interface OperatorTokenRecord {
  id: number;
  name: string;
  createdAt: Date;
  lastUsedAt: Date | null;
  lastUsedFrom: string | null;
  revokedAt: Date | null;
}

/** The operator whose token has this hash, unless it is revoked. */
export async function findOperator(db: Database, hash: Buffer): Promise<{ name: string; tokenId: number } | null> {
  const row = await db
    .selectFrom('operator_tokens')
    .select(['id as tokenId', 'name'])
    .where('hash', '=', hash)
    .where('revoked_at', 'is', null)
    .executeTakeFirst(queryLimit());
  return row ?? null;
}

/** Stores an operator's token by its hash and answers its number. An operator may have several, to change from one to the next. */
export async function addOperatorToken(db: Database, name: string, hash: Buffer): Promise<number> {
  const { insertId } = await db
    .insertInto('operator_tokens')
    .values({ name, hash, last_used_at: null, last_used_from: null, revoked_at: null })
    .executeTakeFirstOrThrow();
  return Number(insertId);
}

/** All tokens of operators, revoked ones too, by name. */
export async function listOperatorTokens(db: Database): Promise<OperatorTokenRecord[]> {
  return db
    .selectFrom('operator_tokens')
    .select([
      'id',
      'name',
      'created_at as createdAt',
      'last_used_at as lastUsedAt',
      'last_used_from as lastUsedFrom',
      'revoked_at as revokedAt',
    ])
    .orderBy('name')
    .orderBy('id')
    .execute();
}

/** Revokes all tokens of an operator and answers how many; null when the operator never had one. */
export async function revokeOperatorTokens(db: Database, name: string): Promise<number | null> {
  const any = await db.selectFrom('operator_tokens').select('id').where('name', '=', name).limit(1).executeTakeFirst();
  if (!any) return null;
  const result = await db
    .updateTable('operator_tokens')
    .set({ revoked_at: sql<Date>`NOW(3)` })
    .where('name', '=', name)
    .where('revoked_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(result.numUpdatedRows);
}
