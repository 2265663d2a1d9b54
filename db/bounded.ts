import type { AbortableQueryOptions } from 'kysely';
import type { Database, DatabaseTransaction } from './database.ts';
import { databaseErrorCode, isConnectionLost } from './retry.ts';
import { inTransaction } from './transaction.ts';
import { UnsafeDatabaseError } from './unsafe-database.ts';

/*
 * A customer's request never waits long for the database: it is told to come again instead.
 */

const LIMIT_MILLISECONDS = 1_500;

/**
 * Options for the execution of one query. The session of a query that takes too long is killed, because a connection
 * whose server has vanished would otherwise stay in the pool for ever.
 */
export function queryLimit(): AbortableQueryOptions {
  return { signal: AbortSignal.timeout(LIMIT_MILLISECONDS), inflightQueryAbortStrategy: 'kill session' };
}

/**
 * Runs `work` in a transaction that commits within the limit or not at all; `work` gives the limit it is handed to each
 * of its queries. Throws a TimeoutError past the limit.
 */
export async function boundedTransaction<Result>(
  db: Database,
  work: (tx: DatabaseTransaction, limit: AbortableQueryOptions) => Promise<Result>,
): Promise<Result> {
  const limit = queryLimit();
  const { signal } = limit;
  const run = async (tx: DatabaseTransaction) => {
    signal?.throwIfAborted();
    const result = await work(tx, limit);
    signal?.throwIfAborted();
    return result;
  };
  const transaction = inTransaction(db, run);
  const expiry = Promise.withResolvers<never>();
  const expire = () => expiry.reject(signal?.reason);
  signal?.addEventListener('abort', expire, { once: true });
  return Promise.race([transaction, expiry.promise]).finally(() => signal?.removeEventListener('abort', expire));
}

const UNAVAILABLE_CODES = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'PROTOCOL_SEQUENCE_TIMEOUT',
  'POOL_CLOSED',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_USER_LIMIT_REACHED',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_QUERY_INTERRUPTED',
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_CHECKREAD',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
]);

/** Whether the error says that the database cannot answer now, and might later, rather than that the query is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error.name === 'TimeoutError' || error instanceof UnsafeDatabaseError) return true;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  if (isConnectionLost(error) || UNAVAILABLE_CODES.has(databaseErrorCode(error) ?? '')) return true;
  return error.message.startsWith('Pool is closed.');
}
