import type { AbortableQueryOptions } from 'kysely';
import { CommitInDoubtError } from './errors.ts';
import { databaseErrorCode, isConnectionLost } from './retry.ts';
import { UnsafeDatabaseError } from './unsafe-database.ts';

/*
 * A customer's request never waits long for the database: it is answered with 503 and `Retry-After` instead.
 */

/** The most time that a request gives to one query, or to one transaction, in milliseconds. */
export const REQUEST_LIMIT_MS = 1_500;

/** Options for the execution of one query: its connection is ended when it takes too long. */
export function queryLimit(): AbortableQueryOptions {
  return { signal: AbortSignal.timeout(REQUEST_LIMIT_MS) };
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
  if (error instanceof CommitInDoubtError || error instanceof UnsafeDatabaseError) return true;
  if (error.name === 'TimeoutError') return true;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  if (isConnectionLost(error) || UNAVAILABLE_CODES.has(databaseErrorCode(error) ?? '')) return true;
  return error.message.startsWith('Pool is closed.');
}
