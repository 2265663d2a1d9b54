import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import { HostAnswers } from '../activities/host-answers.ts';
import { createBillingPublisher } from '../billing/publisher.ts';
import { assertSafeDatabase, openDatabase } from '../db/database.ts';
import { reconcile } from '../outbox/reconciler.ts';
import { OperationStarter } from '../outbox/starter.ts';
import { runProcess } from '../platform/config/run-process.ts';
import { termination } from '../platform/config/termination.ts';
import { createLogger } from '../platform/logging/logger.ts';
import { createTemporalClient } from '../platform/temporal/connection.ts';
import { connectToTemporal, createWhenReachable } from './connect.ts';
import { installTemporalRuntime } from './runtime.ts';
import { parseWorkerConfiguration, type WorkerConfiguration } from './settings.ts';
import { WarmUp } from './warm-up.ts';
import { createWorker, mayStartEagerly, operationTimeouts } from './worker.ts';

/*
 * A worker as a process of its own.
 */

/** From the signal to the end, at most. */
const STOP_WITHIN_MS = 15_000;

async function main(): Promise<void> {
  const configuration = parseWorkerConfiguration(process.env);
  const logger = createLogger({ name: 'worker', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });
  installTemporalRuntime(logger, configuration.METRICS_ADDRESS);
  const connection = await connectToTemporal(configuration.temporal, logger, stopping);
  if (connection) await work({ configuration, logger, stopping, connection });
  logger.info('worker stopped');
}

/** What {@link work} needs. */
interface Work {
  configuration: WorkerConfiguration;
  logger: Logger;
  stopping: AbortSignal;
  connection: NativeConnection;
}

/** Runs a worker until it is told to stop, and has ended what it had begun. */
async function work({ configuration, logger, stopping, connection }: Work): Promise<void> {
  const db = openDatabase(configuration.mysql);
  await assertSafeDatabase(db);
  const billing = createBillingPublisher({ ...configuration.kafka, logger });
  const hostAnswers = new HostAnswers({ db });
  const warmUp = new WarmUp({ configuration, logger });
  const options = { configuration, logger, connection, db, billing, hostAnswers, notifyHosts: () => {} };
  const create = () => createWorker({ ...options, onWarmUp: warmUp.noteRun });
  const worker = await createWhenReachable(create, logger, stopping);
  if (!worker) return;
  const temporal = createTemporalClient(connection, configuration.temporal);
  const starter = new OperationStarter({ db, temporal, logger, timeouts: operationTimeouts(configuration) });
  if (mayStartEagerly(configuration)) starter.startEagerly(temporal);
  const reconciling = reconcile({ db, starter, logger, signal: stopping });
  const running = worker.run();
  stopping.addEventListener('abort', () => worker.shutdown(), { once: true });
  if (stopping.aborted) worker.shutdown();
  await Promise.race([warmUp.run(temporal, stopping), running]);
  logger.info({ temporal: configuration.temporal.address }, 'worker started');
  await running;
  await reconciling;
  await starter.close();
  await billing.close();
  await db.destroy();
  await connection.close();
}

runProcess(main);
