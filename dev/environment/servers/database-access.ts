import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import { mysqlConnectionOptions } from '../../../db/database.ts';
import { type MysqlSettings, parseMysqlSettings } from '../../../platform/config/servers.ts';
import type { RunningProcess } from '../processes.ts';
import type { ServerContext } from './options.ts';

const DATABASE = 'reserved_ip';
const USER = 'reserved_ip';
const CALL_TIMEOUT_MS = 3000;

/** A server that speaks MySQL's protocol, and runs. */
export interface MysqlServer {
  /** `mysql://user:password@127.0.0.1:port/reserved_ip` */
  readonly url: string;
  readonly process: RunningProcess;
}

/** How the application gets into a server that is about to start. */
export interface DatabaseAccess {
  readonly url: string;
  /** The same with the certificates that the environment names. */
  readonly settings: MysqlSettings;
  /** Statements for the server to run at its start, one in each line. */
  readonly initSql: string;
}

/**
 * Decides on a new password for the user of the application. The user has the database of the application, and may make
 * more databases whose names begin with `reserved_ip`.
 */
export function accessTo({ tls, ports, environment, mysqlInitSql = '' }: ServerContext): DatabaseAccess {
  const password = randomBytes(18).toString('base64url');
  const url = `mysql://${USER}:${password}@${tls ? 'localhost' : '127.0.0.1'}:${ports.mysql}/${DATABASE}`;
  const settings = tls ? parseMysqlSettings({ ...environment, MYSQL_URL: url }) : { url };
  return { url, settings, initSql: initSql(password, tls !== undefined) + mysqlInitSql };
}

/** Resolves when the server answers a query in the URL's database; rejects otherwise. */
export async function pingMysql(settings: MysqlSettings): Promise<void> {
  const connection = await createConnection({
    ...mysqlConnectionOptions(settings),
    connectTimeout: CALL_TIMEOUT_MS,
  });
  try {
    await connection.query({ sql: 'SELECT 1', timeout: CALL_TIMEOUT_MS });
  } finally {
    await connection.end();
  }
}

function initSql(password: string, asksForCertificate: boolean): string {
  return [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE};`,
    `CREATE USER IF NOT EXISTS '${USER}'@'127.0.0.1';`,
    `ALTER USER '${USER}'@'127.0.0.1' IDENTIFIED BY '${password}' REQUIRE ${asksForCertificate ? 'X509' : 'NONE'};`,
    `GRANT ALL PRIVILEGES ON \`reserved\\_ip%\`.* TO '${USER}'@'127.0.0.1';`,
    // The counters by which a benchmark sees how many queries an operation costs.
    `GRANT PROCESS, RELOAD ON *.* TO '${USER}'@'127.0.0.1';`,
    '',
  ].join('\n');
}
