import { createBillingPublisher } from '../billing/publisher.ts';
import { parseWorkerConfiguration } from '../config/configuration.ts';
import { openDatabase } from '../db/database.ts';
import { createLogger } from '../logging/logger.ts';
import { connectToTemporal } from './connect.ts';
import { installTemporalRuntime } from './runtime.ts';
import { createWorker } from './worker.ts';

const configuration = parseWorkerConfiguration(process.env);
const logger = createLogger({ name: 'worker', level: configuration.LOG_LEVEL });
installTemporalRuntime(logger, configuration.METRICS_ADDRESS);

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());

const connection = await connectToTemporal(configuration.temporal, logger, stopping.signal);
if (connection) {
  const db = openDatabase(configuration.mysql);
  const billing = createBillingPublisher({ ...configuration.kafka, logger });
  const worker = await createWorker({ configuration, logger, connection, db, billing, notifyHosts: () => {} });
  stopping.signal.addEventListener('abort', () => worker.shutdown(), { once: true });
  logger.info({ temporal: configuration.temporal.address }, 'worker started');
  const running = worker.run();
  if (stopping.signal.aborted) worker.shutdown();
  await running;
  await billing.close();
  await db.destroy();
  await connection.close();
}
logger.info('worker stopped');
