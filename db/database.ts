import { Kysely, MysqlDialect, sql, type Transaction } from 'kysely';
import { createPool, type Pool } from 'mysql2';
import type { Tables } from './schema.ts';

/** The database, outside or inside a transaction. */
export type Database = Kysely<Tables>;
export type DatabaseTransaction = Transaction<Tables>;

/** Options of {@link openDatabase}. */
export interface DatabaseOptions {
  /** `mysql://user:password@host:port/database` */
  url: string;
  /** Most connections at a time; default 20. */
  poolSize?: number;
}

/**
 * Opens the connection pool; nothing is connected before the first query.
 * READ COMMITTED, because the guarded updates here need no gap locks, and those are what deadlocks come from.
 */
export function openDatabase({ url, poolSize = 20 }: DatabaseOptions): Database {
  return new Kysely<Tables>({ dialect: new MysqlDialect({ pool: openPool(url, poolSize) }) });
}

/** Throws unless the database answers within `timeoutMs`. */
export async function ping(db: Database, timeoutMs: number): Promise<void> {
  await sql`SELECT 1`.execute(db, { signal: AbortSignal.timeout(timeoutMs) });
}

function openPool(url: string, poolSize: number): Pool {
  const pool = createPool({
    uri: url,
    connectionLimit: poolSize,
    maxIdle: poolSize,
    timezone: 'Z',
    connectTimeout: 1_000,
    enableKeepAlive: true,
    supportBigNumbers: true,
    waitForConnections: true,
    charset: 'utf8mb4',
    // For `together.ts`. Values are always escaped by the driver, never put into the text by hand.
    multipleStatements: true,
  });
  pool.on('connection', (connection) => {
    connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
    connection.query("SET SESSION time_zone = '+00:00', innodb_lock_wait_timeout = 5");
  });
  return pool;
}
