import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { inject, onTestFinished } from 'vitest';
import { until } from '../../dev/kit/until.ts';

/** A Temporal client of the running test, closed when it is over. */
export async function useTemporal(): Promise<Client> {
  const connection = await Connection.connect({ address: inject('environment').temporalAddress });
  onTestFinished(() => connection.close());
  return new Client({ connection });
}

/**
 * The workflow of an operation on an address, once it runs: it is started after the request was answered, so the newest
 * run under its id may still be that of the operation before.
 */
export async function runningOperation(
  temporal: Client,
  address: string,
  kind: 'assign' | 'unassign' | 'release',
): Promise<WorkflowHandle> {
  const handle = temporal.workflow.getHandle(`reserved-ip/${address}`);
  await until(`the ${kind} of ${address} runs`, async () => {
    const described = await handle.describe().catch(() => null);
    return described?.status.name === 'RUNNING' && described.type === kind;
  });
  return handle;
}

/** Resets a run, by default the newest, to where its first workflow task had completed; answers the new run's id. */
export async function resetToFirstTask(temporal: Client, workflowId: string, runId?: string): Promise<string> {
  const { namespace } = temporal.options;
  const execution = { workflowId, runId: runId ?? (await temporal.workflow.getHandle(workflowId).describe()).runId };
  const { history } = await temporal.workflowService.getWorkflowExecutionHistory({ namespace, execution });
  const completed = history?.events?.find((event) => event.workflowTaskCompletedEventAttributes);
  if (!completed?.eventId) throw new Error('the run has no completed workflow task');
  const reset = await temporal.workflowService.resetWorkflowExecution({
    namespace,
    workflowExecution: execution,
    reason: 'test',
    requestId: randomUUID(),
    workflowTaskFinishEventId: completed.eventId,
  });
  return reset.runId;
}
