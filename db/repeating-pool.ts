import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult } from 'kysely';
import { databaseErrorCode } from './retry.ts';

/**
 * A pool whose connections repeat a read that lost its connection, once and on another one. A server that restarts, or a
 * firewall that forgets, leaves dead connections in every pool, and a customer should not be the one who finds them.
 * Only what is outside a transaction and locks nothing is repeated: whether a write was carried out is not known.
 */
export function repeatingLostReads(pool: MysqlPool): MysqlPool {
  return {
    getConnection(callback) {
      pool.getConnection((error, connection) => {
        callback(error, error ? connection : new RepeatingConnection(pool, connection));
      });
    },
    end: (callback) => pool.end(callback),
  };
}

type QueryCallback = (error: unknown, result: MysqlQueryResult) => void;

class RepeatingConnection implements MysqlPoolConnection {
  readonly #pool: MysqlPool;
  #connection: MysqlPoolConnection;
  #inTransaction = false;

  constructor(pool: MysqlPool, connection: MysqlPoolConnection) {
    this.#pool = pool;
    this.#connection = connection;
  }

  get config(): object {
    return this.#connection.config;
  }

  get threadId(): number {
    return this.#connection.threadId;
  }

  connect(callback?: (error: unknown) => void): void {
    this.#connection.connect(callback);
  }

  destroy(): void {
    this.#connection.destroy();
  }

  release(): void {
    this.#connection.release();
  }

  query(sql: string, parameters: unknown, callback?: QueryCallback) {
    if (/^(begin|start transaction)\b/i.test(sql)) this.#inTransaction = true;
    if (/^(commit|rollback)$/i.test(sql)) this.#inTransaction = false;
    if (!callback || this.#inTransaction || !isPlainRead(sql)) {
      return this.#connection.query(sql, parameters, callback);
    }
    return this.#connection.query(sql, parameters, (error, result) => {
      if (!isLost(error)) return callback(error, result);
      this.#connection.destroy();
      this.#pool.getConnection((noConnection, connection) => {
        if (noConnection) return callback(error, result);
        this.#connection = connection;
        connection.query(sql, parameters, callback);
      });
    });
  }
}

function isPlainRead(sql: string): boolean {
  return /^[\s(]*select\b/i.test(sql) && !/\bfor (update|share)\b|\block in share mode\b/i.test(sql);
}

const LOST_CODES = new Set(['PROTOCOL_CONNECTION_LOST', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ER_CONNECTION_KILLED']);

function isLost(error: unknown): boolean {
  if (LOST_CODES.has(databaseErrorCode(error) ?? '')) return true;
  // It was closed while it lay in the pool.
  return error instanceof Error && error.message.startsWith("Can't add new command when connection is in closed state");
}
