import { sql } from 'kysely';
import type { OperationId } from '../domain/identifiers.ts';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/** A key as one account uses it. */
export interface IdempotencyKey {
  accountId: number;
  keyHash: Buffer;
}

/** How a request with an Idempotency-Key stands. */
export type IdempotencyState =
  /** The caller holds the key, and must answer the request under this operation. */
  | { kind: 'held'; operationId: OperationId }
  | { kind: 'answered'; status: number; body: string }
  | { kind: 'running' }
  /** The key was used for another request. */
  | { kind: 'mismatch' };

/**
 * Takes the key for a request: as the first to use it, or from a process that has let its lease run out, whose operation
 * is then carried on.
 */
export async function takeIdempotencyKey(
  db: Database,
  key: IdempotencyKey,
  request: { hash: Buffer; operationId: OperationId; leaseSeconds: number },
): Promise<IdempotencyState> {
  const leasedUntil = sql<Date>`NOW(3) + INTERVAL ${sql.lit(request.leaseSeconds)} SECOND`;
  const inserted = await db
    .insertInto('idempotency_keys')
    .ignore()
    .values({
      account_id: key.accountId,
      key_hash: key.keyHash,
      request_hash: request.hash,
      operation_id: request.operationId,
      leased_until: leasedUntil,
    })
    .executeTakeFirst(queryLimit());
  if (inserted.numInsertedOrUpdatedRows === 1n) return { kind: 'held', operationId: request.operationId };

  const row = await db
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'operation_id', 'status', 'body'])
    .select(sql<number>`leased_until < NOW(3)`.as('expired'))
    .where('account_id', '=', key.accountId)
    .where('key_hash', '=', key.keyHash)
    .executeTakeFirst(queryLimit());
  if (!row) return { kind: 'running' };
  if (!row.request_hash.equals(request.hash)) return { kind: 'mismatch' };
  if (row.status !== null) return { kind: 'answered', status: row.status, body: row.body ?? '' };
  if (row.expired !== 1) return { kind: 'running' };

  const taken = await db
    .updateTable('idempotency_keys')
    .set({ leased_until: leasedUntil })
    .where('account_id', '=', key.accountId)
    .where('key_hash', '=', key.keyHash)
    .where('operation_id', '=', row.operation_id)
    .where('status', 'is', null)
    .where('leased_until', '<', sql<Date>`NOW(3)`)
    .executeTakeFirst(queryLimit());
  return taken.numUpdatedRows === 1n ? { kind: 'held', operationId: row.operation_id } : { kind: 'running' };
}

/** Keeps the answer, for whoever repeats the request. */
export async function storeIdempotentAnswer(
  db: Database,
  key: IdempotencyKey,
  answer: { operationId: OperationId; status: number; body: string },
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ status: answer.status, body: answer.body })
    .where('account_id', '=', key.accountId)
    .where('key_hash', '=', key.keyHash)
    .where('operation_id', '=', answer.operationId)
    .where('status', 'is', null)
    .execute(queryLimit());
}

/** Gives the key up, so that the request may be made anew. */
export async function dropIdempotencyKey(db: Database, key: IdempotencyKey, operationId: OperationId): Promise<void> {
  await db
    .deleteFrom('idempotency_keys')
    .where('account_id', '=', key.accountId)
    .where('key_hash', '=', key.keyHash)
    .where('operation_id', '=', operationId)
    .where('status', 'is', null)
    .execute(queryLimit());
}

/** Ends the lease early: whoever repeats the request carries the same operation on. */
export async function releaseIdempotencyKey(
  db: Database,
  key: IdempotencyKey,
  operationId: OperationId,
): Promise<void> {
  await db
    .updateTable('idempotency_keys')
    .set({ leased_until: sql<Date>`NOW(3)` })
    .where('account_id', '=', key.accountId)
    .where('key_hash', '=', key.keyHash)
    .where('operation_id', '=', operationId)
    .where('status', 'is', null)
    .execute(queryLimit());
}

/** How long a key is good for repeating its request, in hours. */
export const IDEMPOTENCY_KEY_HOURS = 24;

/** Forgets the keys that are older than this, at most `limit` of them, and answers how many there were. */
export async function deleteOldIdempotencyKeys(db: Database, olderThanHours: number, limit = 1_000): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('idempotency_keys')
    .where('created_at', '<', sql<Date>`NOW(3) - INTERVAL ${sql.lit(olderThanHours)} HOUR`)
    .limit(limit)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
