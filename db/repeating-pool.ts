import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult } from 'kysely';
import { isConnectionLost } from './retry.ts';

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
      if (!isConnectionLost(error)) return callback(error, result);
      this.#connection.destroy();
      this.#pool.getConnection((noConnection, connection) => {
        if (noConnection) return callback(error, result);
        this.#connection = connection;
        connection.query(sql, parameters, callback);
      });
    });
  }
}

/** One statement, whose values are not in its text: behind a semicolon there may be a write. */
function isPlainRead(sql: string): boolean {
  return (
    /^[\s(]*select\b/i.test(sql) && !sql.includes(';') && !/\bfor (update|share)\b|\block in share mode\b/i.test(sql)
  );
}
