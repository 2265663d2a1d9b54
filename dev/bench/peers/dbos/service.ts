import { DBOS } from '@dbos-inc/dbos-sdk';
import { Hono } from 'hono';
import { z } from 'zod';
import { admit, openPeerDatabase, settle } from '../common/database.ts';
import { listen } from '../common/listen.ts';
import { APPLIED, type Decision, type OperationRequest, operationRequestSchema } from '../common/operation.ts';
import { EventPublisher } from '../common/publisher.ts';
import { readServiceSettings } from '../common/service-settings.ts';
import { HostTeller } from '../common/tell-host.ts';

/*
 * The operation on DBOS: an interactive workflow. The request's handler starts it and waits for the event by which it
 * gives its decision; the host's answer is sent to it as a message.
 */

const DECISION = 'decision';
const ACKNOWLEDGMENT = 'acknowledgment';
const DECISION_TIMEOUT_SECONDS = 30;
const HOST_TIMEOUT_SECONDS = 60;
/** For steps that may be tried again, which all of them may. */
const RETRIES = { retriesAllowed: true, maxAttempts: 10, intervalSeconds: 0.5, backoffRate: 2 };

const settings = readServiceSettings(process.env);
const database = openPeerDatabase(settings.mysqlUrl);
const publisher = new EventPublisher(settings.kafkaBrokers, settings.topic);
const hosts = new HostTeller();
await publisher.connect();

class HostSilentError extends Error {
  override readonly name = 'HostSilentError';
}

async function operate(request: OperationRequest): Promise<void> {
  const decision = await DBOS.runStep(() => admit(database, request), { name: 'admit', ...RETRIES });
  await DBOS.setEvent(DECISION, decision);
  if (decision.kind === 'rejected') return;
  const reply = {
    url: `http://127.0.0.1:${settings.port}/acknowledgments`,
    body: { operationId: request.operationId, outcome: APPLIED },
  };
  await DBOS.runStep(() => hosts.tell(request, decision, reply), { name: 'tell host', ...RETRIES });
  const outcome = await DBOS.recv<string>(ACKNOWLEDGMENT, { timeoutSeconds: HOST_TIMEOUT_SECONDS });
  if (outcome !== APPLIED) throw new HostSilentError(`no acknowledgment of ${request.operationId}`);
  const settledAt = await DBOS.runStep(() => settle(database, request, decision), { name: 'settle', ...RETRIES });
  const event = { request, actionId: decision.actionId, settledAt };
  await DBOS.runStep(() => publisher.publish(event), { name: 'publish', ...RETRIES });
}
const operation = DBOS.registerWorkflow(operate, { name: 'operation' });

DBOS.setConfig({
  name: 'reserved-ip-peer',
  systemDatabaseUrl: settings.server,
  // As many as to MySQL.
  systemDatabasePoolSize: 20,
  // The least there is; the default of 10 ms delays every decision.
  notificationCoalesceMs: 1,
  applicationVersion: '1',
  logLevel: 'warn',
});
await DBOS.launch();

const acknowledgmentSchema = z.object({ operationId: z.uuid(), outcome: z.string() });

const app = new Hono();
app.get('/health', (context) => context.text('up'));
app.post('/operations', async (context) => {
  const request = operationRequestSchema.parse(await context.req.json());
  await DBOS.startWorkflow(operation, { workflowID: request.operationId })(request);
  const decision = await DBOS.getEvent<Decision>(request.operationId, DECISION, {
    timeoutSeconds: DECISION_TIMEOUT_SECONDS,
  });
  if (decision === null) return context.json({ error: 'not decided yet' }, 503);
  return context.json(decision, decision.kind === 'admitted' ? 201 : 422);
});
app.post('/operations/start', async (context) => {
  const request = operationRequestSchema.parse(await context.req.json());
  await DBOS.startWorkflow(operation, { workflowID: request.operationId })(request);
  return context.body(null, 202);
});
app.post('/acknowledgments', async (context) => {
  const { operationId, outcome } = acknowledgmentSchema.parse(await context.req.json());
  await DBOS.send(operationId, outcome, ACKNOWLEDGMENT);
  return context.body(null, 204);
});
await listen(app, settings.port);
