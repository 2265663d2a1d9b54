import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { createBillingPublisher } from '../billing/publisher.ts';
import { parseWorkerConfiguration } from '../config/configuration.ts';
import { openDatabase } from '../db/database.ts';
import { installTemporalRuntime } from './runtime.ts';
import { createWorker } from './worker.ts';

const configuration = parseWorkerConfiguration(process.env);
const logger = pino({ name: 'worker', level: configuration.LOG_LEVEL });
installTemporalRuntime(logger);

const connection = await NativeConnection.connect({ address: configuration.TEMPORAL_ADDRESS });
const db = openDatabase({ url: configuration.MYSQL_URL, poolSize: configuration.MYSQL_POOL_SIZE });
const billing = createBillingPublisher({ brokers: configuration.KAFKA_BROKERS, logger });
const worker = await createWorker({ configuration, connection, db, billing, notifyHosts: () => {} });

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => worker.shutdown());
logger.info({ temporal: configuration.TEMPORAL_ADDRESS }, 'worker started');
await worker.run();
await billing.close();
await db.destroy();
await connection.close();
logger.info('worker stopped');
