import type { MysqlPool, MysqlPoolConnection, MysqlQueryResult } from 'kysely';

/*
 * Values as SQL that means the same under every sql_mode. The driver puts values into the text with backslashes, which
 * are no escapes under NO_BACKSLASH_ESCAPES. Sessions are pinned to other modes; this is what holds where a proxy
 * has reset one.
 */

/** A parameter of a query is neither a text, a number, a truth value, a time, bytes nor null. */
export class UnsafeValueError extends TypeError {
  override readonly name = 'UnsafeValueError';
  /** Position in the query, from 0. */
  readonly index: number;

  constructor(index: number, value: unknown) {
    super(`parameter ${index} of a query is ${Array.isArray(value) ? 'a list' : `of type ${typeof value}`}`);
    this.index = index;
  }
}

/** What the driver puts into a statement as it is. */
interface Fragment {
  toSqlString(): string;
}

/** A pool whose queries carry each value in a form that no mode can take for anything else. */
export function modeFreeValues(pool: MysqlPool): MysqlPool {
  return {
    getConnection(callback) {
      pool.getConnection((error, connection) => {
        callback(error, error ? connection : new ModeFreeConnection(connection));
      });
    },
    end: (callback) => pool.end(callback),
  };
}

/** The parameters of one query; throws {@link UnsafeValueError}. */
export function modeFree(parameters: readonly unknown[]): unknown[] {
  return parameters.map((value, index) => {
    if (typeof value === 'string') return textFragment(value);
    if (isPlain(value)) return value;
    throw new UnsafeValueError(index, value);
  });
}

/** A text. A quote is doubled, which every mode understands; what holds a backslash or ends a C string goes as hex. */
function textFragment(text: string): Fragment {
  const sql =
    text.includes('\\') || text.includes('\0')
      ? `_utf8mb4 X'${Buffer.from(text, 'utf8').toString('hex')}'`
      : `'${text.replaceAll("'", "''")}'`;
  return { toSqlString: () => sql };
}

function isPlain(value: unknown): boolean {
  if (value === null || value === undefined || value instanceof Uint8Array) return true;
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'bigint' || typeof value === 'boolean';
}

type QueryCallback = (error: unknown, result: MysqlQueryResult) => void;

class ModeFreeConnection implements MysqlPoolConnection {
  readonly #connection: MysqlPoolConnection;

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
    if (!Array.isArray(parameters)) throw new UnsafeValueError(0, parameters);
    return this.#connection.query(sql, modeFree(parameters), callback);
  }
}
