import { inject, onTestFinished } from 'vitest';
import { type Database, openDatabase } from '../../db/database.ts';

/** The database of the environment for the running test; for looking at what no client can see. */
export function useDatabase({ url = inject('environment').mysqlUrl, poolSize = 4 } = {}): Database {
  const db = openDatabase({ url, poolSize });
  onTestFinished(() => db.destroy());
  return db;
}
