import { randomBytes, randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Client } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import { sql } from 'kysely';
import { type Logger, pino } from 'pino';
import { inject } from 'vitest';
import { HostAnswers } from '../../activities/host-answers.ts';
import { createApp } from '../../api/app.ts';
import { createDependencies } from '../../api/dependencies.ts';
import { type ApiConfiguration, parseApiConfiguration } from '../../api/settings.ts';
import { type BillingPublisher, createBillingPublisher } from '../../billing/publisher.ts';
import { type Database, openDatabase } from '../../db/database.ts';
import { migrate } from '../../db/migrator.ts';
import { listenOnLoopback } from '../../dev/environment/ports.ts';
import { until } from '../../dev/kit/until.ts';
import { registerSearchAttributes } from '../../ops/migrate/search-attributes.ts';
import { parseTemporalSettings } from '../../platform/config/servers.ts';
import { openTemporalClient, temporalConnectionOptions } from '../../platform/temporal/connection.ts';
import { createWorker } from '../../workers/worker.ts';

const silent = pino({ level: 'silent' });

/**
 * A Temporal namespace of its own on the one Temporal server, with an API in this process that starts operations there.
 * No worker of the environment sees it: it has the workers that a test gives it, or none.
 */
export interface PrivateEnvironment {
  apiUrl: string;
  mysqlUrl: string;
  /** A way to its database, closed with it. */
  db: Database;
  temporal: Client;
  namespace: string;
  /** Starts a worker in this process; it runs until `stop()`, or the end of the environment. */
  startWorker(options?: WorkerOptions): Promise<{ stop(): Promise<void> }>;
  /** Stops every worker that runs here. */
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

/** What a worker of a {@link PrivateEnvironment} publishes with. */
export interface WorkerOptions {
  /** Settings that differ from those of the environment, by the names of their environment variables. */
  settings?: Record<string, string>;
}

/** What a {@link PrivateEnvironment} is made with. */
export interface PrivateEnvironmentOptions {
  /** Where its API logs to; default nowhere. */
  logger?: Logger;
  /** Settings of its API and workers, by the names of their environment variables. */
  settings?: Record<string, string>;
  /** Whether a worker is started at once; default false. */
  worker?: boolean;
  /** A database of its own on the one MySQL server, for tests of what looks at all rows. */
  ownDatabase?: boolean;
  /** A database of its own on this server instead; by its URL, with a user who may make databases. */
  databaseServer?: string;
}

/** Makes one; at most one in a test file, because a process has one Temporal runtime. */
export async function createPrivateEnvironment(options: PrivateEnvironmentOptions = {}): Promise<PrivateEnvironment> {
  const { logger = silent, settings = {}, ownDatabase = false, databaseServer, worker = false } = options;
  const environment = inject('environment');
  const server = databaseServer ?? (ownDatabase ? environment.mysqlUrl : undefined);
  const mysqlUrl = server === undefined ? environment.mysqlUrl : await createDatabase(server);
  const temporal = await createNamespace();
  const { namespace } = temporal.options;
  const variables = {
    MYSQL_URL: mysqlUrl,
    MYSQL_POOL_SIZE: '10',
    KAFKA_BROKERS: environment.kafkaBrokers,
    TEMPORAL_ADDRESS: environment.temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
    ADMIN_TOKEN: environment.adminToken,
    WORKFLOW_BUNDLE: environment.workflowBundle,
    HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '20000',
    ...settings,
  };
  const configuration = parseApiConfiguration(variables);
  const api = await serveApi(configuration, logger);
  const stops = new Set<() => Promise<void>>();
  const stopWorkers = async () => {
    const running = [...stops];
    stops.clear();
    await Promise.all(running.map((stop) => stop()));
  };
  const db = openDatabase({ url: mysqlUrl, poolSize: 4 });
  const started: PrivateEnvironment = {
    ...{ apiUrl: api.url, mysqlUrl, db, temporal, namespace, stopWorkers },
    async startWorker(options = {}) {
      const stop = await runWorker(parseApiConfiguration({ ...variables, ...options.settings }));
      stops.add(stop);
      return {
        stop: async () => {
          if (stops.delete(stop)) await stop();
        },
      };
    },
    async close() {
      await stopWorkers();
      await api.close();
      await db.destroy();
      await temporal.connection.close();
    },
  };
  if (worker) await started.startWorker();
  return started;
}

/** A client of a new namespace on the one Temporal server; the caller closes its connection. */
export async function createNamespace(): Promise<Client> {
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  const variables = { TEMPORAL_ADDRESS: inject('environment').temporalAddress, TEMPORAL_NAMESPACE: namespace };
  const temporal = openTemporalClient(parseTemporalSettings(variables));
  await registerNamespace(temporal);
  return temporal;
}

/** A new namespace is known to all parts of the server only after a moment. */
async function registerNamespace(temporal: Client): Promise<void> {
  const { namespace } = temporal.options;
  const { config } = await temporal.workflowService.describeNamespace({ namespace: 'default' });
  await temporal.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: config?.workflowExecutionRetentionTtl ?? null,
  });
  await until(`the namespace ${namespace} can be used`, () =>
    temporal.workflowService
      .describeTaskQueue({ namespace, taskQueue: { name: 'any' }, taskQueueType: 1 })
      .then(() => true)
      .catch(() => false),
  );
  await registerSearchAttributes(temporal);
}

/** Makes a database with all tables, whose actions have numbers that no other database on the billing topic has. */
export async function createDatabase(mysqlUrl: string): Promise<string> {
  const url = new URL(mysqlUrl);
  const name = `${url.pathname.slice(1)}_test_${randomBytes(4).toString('hex')}`;
  const server = openDatabase({ url: mysqlUrl, poolSize: 1 });
  await sql`CREATE DATABASE ${sql.id(name)}`.execute(server).finally(() => server.destroy());
  url.pathname = `/${name}`;
  const db = openDatabase({ url: url.href, poolSize: 1 });
  try {
    await migrate(db);
    await sql`ALTER TABLE actions AUTO_INCREMENT = ${sql.lit(randomInt(4_000_000, 8_000_000) * 1_000)}`.execute(db);
  } finally {
    await db.destroy();
  }
  return url.href;
}

async function serveApi(
  configuration: ApiConfiguration,
  logger: Logger,
): Promise<{ url: string; close(): Promise<void> }> {
  const { dependencies, close } = await createDependencies(configuration, logger);
  const server = createServer(getRequestListener(createApp(dependencies).fetch));
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      dependencies.waitingHosts.close();
      server.closeAllConnections();
      server.close();
      await close();
    },
  };
}

async function runWorker(configuration: ApiConfiguration): Promise<() => Promise<void>> {
  const connection = await NativeConnection.connect(temporalConnectionOptions(configuration.temporal));
  const db = openDatabase(configuration.mysql);
  const billing: BillingPublisher = createBillingPublisher({ ...configuration.kafka, logger: silent });
  const hostAnswers = new HostAnswers({ db });
  const worker = await createWorker({
    configuration,
    logger: silent,
    connection,
    db,
    billing,
    hostAnswers,
    notifyHosts: () => {},
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
    await billing.close();
    await db.destroy();
    await connection.close();
  };
}
