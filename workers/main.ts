import { HostAnswers } from '../activities/host-answers.ts';
import { createBillingPublisher } from '../billing/publisher.ts';
import { assertSafeDatabase, openDatabase } from '../db/database.ts';
import { UnsafeDatabaseError } from '../db/unsafe-database.ts';
import { reconcile } from '../outbox/reconciler.ts';
import { OperationStarter } from '../outbox/starter.ts';
import { aborted, termination } from '../platform/config/termination.ts';
import { createLogger } from '../platform/logging/logger.ts';
import { createTemporalClient } from '../platform/temporal/connection.ts';
import { describeError, printError, printUncaughtErrors } from '../platform/text/print.ts';
import { connectToTemporal } from './connect.ts';
import { installTemporalRuntime } from './runtime.ts';
import { parseWorkerConfiguration } from './settings.ts';
import { WarmUp } from './warm-up.ts';
import { createWorker, mayStartEagerly, operationTimeouts } from './worker.ts';

printUncaughtErrors();

/** From the signal to the end, at most. */
const STOP_WITHIN_MS = 15_000;

const configuration = parseWorkerConfiguration(process.env);
const logger = createLogger({ name: 'worker', level: configuration.LOG_LEVEL });
const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });
installTemporalRuntime(logger, configuration.METRICS_ADDRESS);

const connection = await connectToTemporal(configuration.temporal, logger, stopping);
if (connection) {
  const db = openDatabase(configuration.mysql);
  await assertSafeDatabase(db).catch(endProcess);
  const billing = createBillingPublisher({ ...configuration.kafka, logger });
  const hostAnswers = new HostAnswers({ db });
  const warmUp = new WarmUp({ configuration, logger });
  const creating = createWorker({
    ...{ configuration, logger, connection, db, billing, hostAnswers, notifyHosts: () => {} },
    onWarmUp: warmUp.noteRun,
  });
  const worker = await Promise.race([creating, aborted(stopping)]);
  if (!worker) process.exit();
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
logger.info('worker stopped');
process.exit();

function endProcess(error: unknown): never {
  printError(error instanceof UnsafeDatabaseError ? error.message : describeError(error));
  process.exit(1);
}
