import { Transaction } from 'kysely';
import type { Database, DatabaseTransaction } from './database.ts';
import { retryRolledBack } from './retry.ts';

/**
 * Runs `work` in the transaction that `db` is, or in one of its own, which is repeated when MySQL rolls it back for the
 * sake of another one: at most `attempts` times in all.
 */
export function inTransaction<Result>(
  db: Database,
  work: (tx: DatabaseTransaction) => Promise<Result>,
  attempts?: number,
): Promise<Result> {
  if (db instanceof Transaction) return work(db);
  return retryRolledBack(() => db.transaction().execute(work), attempts);
}
