import { z } from 'zod';

const databaseErrorSchema = z.object({ code: z.string() });

/** The code of a MySQL or network error, such as `ER_DUP_ENTRY` or `ECONNREFUSED`; null for any other error. */
export function databaseErrorCode(error: unknown): string | null {
  const parsed = databaseErrorSchema.safeParse(error);
  return parsed.success ? parsed.data.code : null;
}

/** A unique key rejected the row. */
export function isDuplicateEntry(error: unknown): boolean {
  return databaseErrorCode(error) === 'ER_DUP_ENTRY';
}

/** A trigger rejected the row. */
export function isRejectedByTrigger(error: unknown): boolean {
  return databaseErrorCode(error) === 'ER_SIGNAL_EXCEPTION';
}

const LOST_CODES = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ER_CONNECTION_KILLED']);

/** The connection was lost under the statement, or while it lay in the pool. */
export function isConnectionLost(error: unknown): boolean {
  if (LOST_CODES.has(databaseErrorCode(error) ?? '')) return true;
  return error instanceof Error && error.message.startsWith("Can't add new command when connection is in closed state");
}

/** The server itself has rejected the statement, so it was not carried out; any other error leaves that open. */
export function isAnswerOfServer(error: unknown): boolean {
  return !isConnectionLost(error) && (databaseErrorCode(error)?.startsWith('ER_') ?? false);
}

const TRANSIENT_CODES = new Set(['ER_LOCK_DEADLOCK', 'ER_LOCK_WAIT_TIMEOUT', 'ER_CHECKREAD']);

/** Repeats a transaction that MySQL rolled back for the sake of another one: at most `attempts` times in all. */
export async function retryRolledBack<Result>(run: () => Promise<Result>, attempts = 4): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt >= attempts || !TRANSIENT_CODES.has(databaseErrorCode(error) ?? '')) throw error;
    }
  }
}
