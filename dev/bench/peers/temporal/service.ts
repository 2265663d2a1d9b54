import { fileURLToPath } from 'node:url';
import {
  ActivityNotFoundError,
  Client,
  Connection,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type WorkflowStartOptions,
} from '@temporalio/client';
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker';
import { Hono } from 'hono';
import { z } from 'zod';
import { createLogger } from '../../../../platform/logging/logger.ts';
import { installTemporalRuntime } from '../../../../workers/runtime.ts';
import { openPeerDatabase } from '../common/database.ts';
import { listen } from '../common/listen.ts';
import { type Decision, type OperationRequest, operationRequestSchema } from '../common/operation.ts';
import { EventPublisher } from '../common/publisher.ts';
import { readServiceSettings } from '../common/service-settings.ts';
import { HostTeller } from '../common/tell-host.ts';
import { createPeerActivities } from './activities.ts';
import { PEER_TASK_QUEUE } from './names.ts';
import { decided, type operation } from './workflows.ts';

/*
 * The operation as plain Temporal activities. The request's handler starts the workflow with an update that answers
 * with its decision.
 */

const settings = readServiceSettings(process.env);
const database = openPeerDatabase(settings.mysqlUrl);
const publisher = new EventPublisher(settings.kafkaBrokers, settings.topic);
await publisher.connect();

installTemporalRuntime(createLogger({ name: 'peer-temporal', level: 'warn' }));
const { code } = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  logger: { ...console, log: () => {}, trace: () => {}, debug: () => {}, info: () => {} },
});
const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: settings.server }),
  taskQueue: PEER_TASK_QUEUE,
  workflowBundle: { code },
  activities: {
    ...createPeerActivities({
      database,
      publisher,
      hosts: new HostTeller(),
      acknowledgmentUrl: `http://127.0.0.1:${settings.port}/acknowledgments`,
    }),
  },
  maxConcurrentWorkflowTaskExecutions: 100,
  shutdownGraceTime: '5 seconds',
});
process.once('SIGTERM', () => worker.shutdown());
const client = new Client({ connection: await Connection.connect({ address: settings.server }) });

const app = new Hono();
app.get('/health', (context) => context.text('up'));
app.post('/operations', async (context) => {
  const request = operationRequestSchema.parse(await context.req.json());
  const decision = await decisionOn(request);
  return context.json(decision, decision.kind === 'admitted' ? 201 : 422);
});
app.post('/operations/start', async (context) => {
  const request = operationRequestSchema.parse(await context.req.json());
  await client.workflow.start('operation', startOptions(request));
  return context.body(null, 202);
});
const acknowledgmentSchema = z.object({ taskToken: z.base64() });
app.post('/acknowledgments', async (context) => {
  const { taskToken } = acknowledgmentSchema.parse(await context.req.json());
  try {
    await client.activity.complete(Buffer.from(taskToken, 'base64'), undefined);
    return context.body(null, 204);
  } catch (error) {
    // Of an attempt that has timed out: the next one has told the host again.
    if (error instanceof ActivityNotFoundError) return context.body(null, 410);
    throw error;
  }
});
await listen(app, settings.port);
await worker.run();
process.exit();

function startOptions(request: OperationRequest): WorkflowStartOptions<typeof operation> {
  return {
    taskQueue: PEER_TASK_QUEUE,
    workflowId: request.operationId,
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    args: [request],
  };
}

async function decisionOn(request: OperationRequest): Promise<Decision> {
  const startWorkflowOperation = new WithStartWorkflowOperation<typeof operation>('operation', {
    ...startOptions(request),
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  try {
    return await client.workflow.executeUpdateWithStart(decided, { startWorkflowOperation });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // The same request again, after its operation has ended.
    return await client.workflow.getHandle<typeof operation>(request.operationId).result();
  }
}
