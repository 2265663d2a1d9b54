import { Kysely, MysqlDialect, sql, type Transaction } from 'kysely';
import { createPool, type Pool, type PoolOptions } from 'mysql2';
import type { MysqlSettings } from '../config/servers.ts';
import { secureContextOptions } from '../config/tls.ts';
import { repeatingLostReads } from './repeating-pool.ts';
import type { Tables } from './schema.ts';
import { shorteningTransactions } from './short-transactions.ts';

/** The database, outside or inside a transaction. */
export type Database = Kysely<Tables>;
export type DatabaseTransaction = Transaction<Tables>;

/**
 * Opens the connection pool; nothing is connected before the first query.
 * READ COMMITTED, because the guarded updates here need no gap locks, and those are what deadlocks come from.
 */
export function openDatabase(settings: MysqlSettings): Database {
  const pool = repeatingLostReads(shorteningTransactions(openPool(settings)));
  return new Kysely<Tables>({ dialect: new MysqlDialect({ pool }) });
}

/** Throws unless the database answers within `timeoutMs`. */
export async function ping(db: Database, timeoutMs: number): Promise<void> {
  await sql`SELECT 1`.execute(db, { signal: AbortSignal.timeout(timeoutMs) });
}

/** Where to connect, and by which certificates. */
export function mysqlConnectionOptions({ url, tls = null }: MysqlSettings): Pick<PoolOptions, 'uri' | 'ssl'> {
  return { uri: url, ...(tls && { ssl: { ...secureContextOptions(tls), verifyIdentity: true } }) };
}

function openPool({ poolSize = 20, ...settings }: MysqlSettings): Pool {
  const pool = createPool({
    ...mysqlConnectionOptions(settings),
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
