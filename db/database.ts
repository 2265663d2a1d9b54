import { Kysely, sql, type Transaction } from 'kysely';
import { createPool, type Pool, type PoolOptions } from 'mysql2';
import { ServerUnreachableError } from '../platform/config/server-unreachable.ts';
import type { MysqlSettings } from '../platform/config/servers.ts';
import { secureContextOptions } from '../platform/config/tls.ts';
import { BoundedMysqlDialect } from './bounded-connections.ts';
import { formatModeFree } from './mode-free-values.ts';
import { pinningSessions } from './pinned-sessions.ts';
import { repeatingLostReads } from './repeating-pool.ts';
import type { Tables } from './schema.ts';
import { UnsafeDatabaseError } from './unsafe-database.ts';
import { waitingForServer } from './waiting-pool.ts';

/** How long the start of a process waits for its database, in milliseconds. */
const START_CHECK_MS = 1_000;
/** How long a command waits for it, in milliseconds. */
const COMMAND_CHECK_MS = 5_000;

/** The database, outside or inside a transaction. */
export type Database = Kysely<Tables>;
export type DatabaseTransaction = Transaction<Tables>;

/**
 * Opens the connection pool; nothing is connected before the first query. Queries throw an {@link UnsafeDatabaseError}
 * where the server does not take the modes that they are written for.
 */
export function openDatabase(settings: MysqlSettings): Database {
  const pool = repeatingLostReads(waitingForServer(pinningSessions(openPool(settings))));
  return new Kysely<Tables>({ dialect: new BoundedMysqlDialect({ pool }) });
}

/**
 * For the start of a process: throws an {@link UnsafeDatabaseError} when the database can be reached and is not safe.
 * One that cannot be reached is looked at when it can, before anything else is sent on each new connection.
 */
export async function assertSafeDatabase(db: Database): Promise<void> {
  await ping(db, START_CHECK_MS).catch((error: unknown) => {
    if (error instanceof UnsafeDatabaseError) throw error;
  });
}

/**
 * For the start of a command, which cannot wait: throws an {@link UnsafeDatabaseError} when the database is not safe, and
 * a {@link ServerUnreachableError} when it does not answer within 5 s or does not let the command in.
 */
export async function requireDatabase(db: Database, { url }: Pick<MysqlSettings, 'url'>): Promise<void> {
  await ping(db, COMMAND_CHECK_MS).catch((error: unknown) => {
    if (error instanceof UnsafeDatabaseError) throw error;
    throw new ServerUnreachableError('MySQL', new URL(url).host, error);
  });
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
  return createPool({
    ...mysqlConnectionOptions(settings),
    connectionLimit: poolSize,
    maxIdle: poolSize,
    timezone: 'Z',
    connectTimeout: 1_000,
    enableKeepAlive: true,
    supportBigNumbers: true,
    waitForConnections: true,
    charset: 'utf8mb4',
    // For `together.ts`. Values are never put into the text by hand.
    multipleStatements: true,
    queryFormat: formatModeFree,
    // It would undo what `pinned-sessions.ts` has set.
    resetOnRelease: false,
  });
}
