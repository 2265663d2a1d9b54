import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { createLogger } from '../../../platform/logging/logger.ts';
import { installTemporalRuntime } from '../../../workers/runtime.ts';
import { bareActivities } from './activities.ts';
import { BARE_TASK_QUEUE } from './names.ts';

const address = process.env.TEMPORAL_ADDRESS;
if (!address) throw new Error('TEMPORAL_ADDRESS is not set');
const logger = createLogger({ name: 'bare-worker', level: 'warn' });
installTemporalRuntime(logger);
const connection = await NativeConnection.connect({ address });
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  logger: { ...console, log: () => {}, trace: () => {}, debug: () => {}, info: () => {} },
});
const worker = await Worker.create({
  connection,
  taskQueue: BARE_TASK_QUEUE,
  workflowBundle: { code },
  activities: { ...bareActivities },
  maxConcurrentWorkflowTaskExecutions: 100,
  shutdownGraceTime: '5 seconds',
});
process.once('SIGTERM', () => worker.shutdown());
await worker.run();
await connection.close();
