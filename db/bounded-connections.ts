import {
  type AbortableOperationOptions,
  type CompiledQuery,
  type ControlConnectionProvider,
  type DatabaseConnection,
  type Driver,
  MysqlDialect,
  type MysqlDialectConfig,
  MysqlDriver,
  type QueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely';

/**
 * MySQL as Kysely knows it, with one rule more: a connection that was acquired under a signal ends when the signal is
 * aborted. What is running on it is given up at once, on the server too, and nothing can be run on it afterwards. So
 * the work on such a connection needs no limit for each statement, nor for its begin, commit and rollback.
 */
export class BoundedMysqlDialect extends MysqlDialect {
  readonly #config: MysqlDialectConfig;

  constructor(config: MysqlDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new BoundedMysqlDriver(this.#config);
  }
}

class BoundedMysqlDriver implements Driver {
  readonly #driver: Driver;

  constructor(config: MysqlDialectConfig) {
    this.#driver = new MysqlDriver(config);
  }

  init(options?: AbortableOperationOptions): Promise<void> {
    return this.#driver.init(options);
  }

  async acquireConnection(options?: AbortableOperationOptions): Promise<DatabaseConnection> {
    const connection = await this.#driver.acquireConnection(options);
    if (!options?.signal) return connection;
    await connection.collectSessionInfo?.();
    return new BoundedConnection(connection, options.signal, async (use) => {
      const another = await this.#driver.acquireConnection();
      await use(another).finally(() => this.#driver.releaseConnection(another));
    });
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await this.#driver.releaseConnection(connection instanceof BoundedConnection ? connection.end() : connection);
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    return this.#driver.beginTransaction(connection, settings);
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.commitTransaction(connection);
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return this.#driver.rollbackTransaction(connection);
  }

  async savepoint(connection: DatabaseConnection, name: string, compile: QueryCompiler['compileQuery']): Promise<void> {
    await this.#driver.savepoint?.(connection, name, compile);
  }

  destroy(options?: AbortableOperationOptions): Promise<void> {
    return this.#driver.destroy(options);
  }
}

class BoundedConnection implements DatabaseConnection {
  readonly #connection: DatabaseConnection;
  readonly #signal: AbortSignal;
  readonly #expired = Promise.withResolvers<never>();
  readonly #expire: () => void;

  constructor(connection: DatabaseConnection, signal: AbortSignal, control: ControlConnectionProvider) {
    this.#connection = connection;
    this.#signal = signal;
    // It may expire while nobody waits for a statement.
    this.#expired.promise.catch(() => {});
    this.#expire = () => {
      this.#expired.reject(signal.reason);
      // Its end on the server is best effort; here it is closed in any case.
      connection.killSession?.(control).catch(() => {});
    };
    if (signal.aborted) this.#expire();
    else signal.addEventListener('abort', this.#expire, { once: true });
  }

  /** The connection without its limit. */
  end(): DatabaseConnection {
    this.#signal.removeEventListener('abort', this.#expire);
    return this.#connection;
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#signal.aborted) return this.#expired.promise;
    return Promise.race([this.#connection.executeQuery<Row>(query), this.#expired.promise]);
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    this.#signal.throwIfAborted();
    return this.#connection.streamQuery<Row>(query, chunkSize);
  }
}
