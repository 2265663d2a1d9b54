import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult } from 'kysely';

/*
 * Transactions without round trips of their own: between two processes that were idle a round trip costs more than most
 * statements.
 */

/** What makes statements the last of their transaction: put after them, they are committed with their own round trip. */
export const AND_COMMIT = ';\ncommit';

/**
 * A pool whose transactions begin with their first statement, and have ended when a statement has brought its
 * {@link AND_COMMIT}: then nothing can follow in it. A transaction that asks nothing never reaches the server.
 */
export function shorteningTransactions(pool: MysqlPool): MysqlPool {
  return {
    getConnection(callback) {
      pool.getConnection((error, connection) => {
        callback(error, error ? connection : new ShorteningConnection(connection));
      });
    },
    end: (callback) => pool.end(callback),
  };
}

type QueryCallback = (error: unknown, result: MysqlQueryResult) => void;

class ShorteningConnection implements MysqlPoolConnection {
  readonly #connection: MysqlPoolConnection;
  /** `begun` when the server has not heard of it yet; `committed` when the caller has not asked for that yet. */
  #transaction: 'none' | 'begun' | 'open' | 'committed' = 'none';

  constructor(connection: MysqlPoolConnection) {
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
    if (!callback) return this.#connection.query(sql, parameters);
    if (sql === 'begin') {
      this.#transaction = 'begun';
      return answer(callback, null);
    }
    if (sql === 'commit' || sql === 'rollback') {
      const before = this.#transaction;
      this.#transaction = 'none';
      return before === 'open' ? this.#connection.query(sql, parameters, callback) : answer(callback, null);
    }
    if (this.#transaction === 'none') return this.#connection.query(sql, parameters, callback);
    if (this.#transaction === 'committed') return answer(callback, new Error('the transaction is committed'));
    const begins = this.#transaction === 'begun';
    const commits = sql.endsWith(AND_COMMIT);
    this.#transaction = 'open';
    return this.#connection.query(begins ? `begin;\n${sql}` : sql, parameters, (error, results) => {
      if (error) return callback(error, results);
      if (commits) this.#transaction = 'committed';
      callback(null, begins || commits ? ownResult(results, begins, commits) : results);
    });
  }
}

function answer(callback: QueryCallback, error: Error | null) {
  callback(error, { affectedRows: 0, changedRows: 0, insertId: 0 });
  return {
    stream(): never {
      throw new Error('there are no rows to stream');
    },
  };
}

/** The driver answers several statements with a list of their results, which Kysely's types do not know. */
function ownResult(results: MysqlQueryResult, begins: boolean, commits: boolean): MysqlQueryResult {
  if (!Array.isArray(results)) throw new Error('several statements were answered as one');
  const own = results.slice(begins ? 1 : 0, commits ? -1 : undefined);
  const [only, ...more] = own;
  return more.length === 0 && isResult(only) ? only : own;
}

function isResult(value: unknown): value is MysqlQueryResult {
  return Array.isArray(value) || (typeof value === 'object' && value !== null && 'affectedRows' in value);
}
