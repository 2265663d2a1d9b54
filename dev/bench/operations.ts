import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { WithStartWorkflowOperation, WorkflowNotFoundError } from '@temporalio/client';
import { z } from 'zod';
import { addressWorkflowId } from '../../domain/names.ts';
import { BARE_TASK_QUEUE } from './bare/names.ts';
import { answer } from './bare/updates.ts';
import type { answering } from './bare/workflows.ts';
import type { BenchEnvironment, Lane } from './environment.ts';

/** One operation, timed from the request: until it was accepted, and until it was over. In milliseconds. */
export interface Timing {
  accepted: number;
  closed: number;
}

const acceptedSchema = z.object({ action: z.object({ id: z.int() }) });

/** An assign or unassign over HTTP, until its workflow has closed, which is after the action reads `completed`. */
export async function operate(environment: BenchEnvironment, lane: Lane, type: 'assign' | 'unassign'): Promise<Timing> {
  const begin = performance.now();
  const { action } = await environment.api.send(
    { method: 'POST', path: `/v2/reserved_ips/${lane.ip}/actions`, status: 201, schema: acceptedSchema },
    type === 'assign' ? { type, droplet_id: lane.dropletId } : { type },
  );
  const accepted = performance.now() - begin;
  await untilClosed(environment, lane, action.id);
  lane.assigned = type === 'assign';
  return { accepted, closed: performance.now() - begin };
}

/** The workflow is started after the answer, so what is found at first may be the run of the operation before. */
async function untilClosed({ temporal }: BenchEnvironment, lane: Lane, actionId: number): Promise<void> {
  const handle = temporal.workflow.getHandle(addressWorkflowId(lane.ip));
  for (;;) {
    const outcome = await handle.result().catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    });
    if (outcomeSchema.safeParse(outcome).data?.actionId === actionId) return;
    await sleep(START_LOOK_MS);
  }
}

const START_LOOK_MS = 2;
const outcomeSchema = z.object({ actionId: z.int() });

/** The operation that comes next on a lane: it goes on its droplet and off it again. */
export function operateNext(environment: BenchEnvironment, lane: Lane): Promise<Timing> {
  return operate(environment, lane, lane.assigned ? 'unassign' : 'assign');
}

/** A bare workflow, started and waited for in the same way. */
export async function runBare(
  environment: BenchEnvironment,
  workflow: 'empty' | 'bareAssign',
): Promise<Timing & { workflowId: string }> {
  const begin = performance.now();
  const workflowId = `bare/${randomUUID()}`;
  const handle = await environment.temporal.workflow.start(workflow, { taskQueue: BARE_TASK_QUEUE, workflowId });
  const accepted = performance.now() - begin;
  await handle.result();
  return { accepted, closed: performance.now() - begin, workflowId };
}

/** Milliseconds from the call until a bare workflow has answered the update that was sent with its start. */
export async function runBareAnswering({ temporal }: BenchEnvironment): Promise<number> {
  const begin = performance.now();
  const startWorkflowOperation = new WithStartWorkflowOperation<typeof answering>('answering', {
    taskQueue: BARE_TASK_QUEUE,
    workflowId: `bare/${randomUUID()}`,
    workflowIdConflictPolicy: 'FAIL',
  });
  await temporal.workflow.executeUpdateWithStart(answer, { startWorkflowOperation });
  const answered = performance.now() - begin;
  await (await startWorkflowOperation.workflowHandle()).result();
  return answered;
}

/** Milliseconds from the request until a client that polls its action every 5 ms reads `completed`. */
export async function untilReadAsCompleted(environment: BenchEnvironment, lane: Lane): Promise<number> {
  const begin = performance.now();
  const { action } = await environment.api.send(
    { method: 'POST', path: `/v2/reserved_ips/${lane.ip}/actions`, status: 201, schema: acceptedSchema },
    { type: 'assign', droplet_id: lane.dropletId },
  );
  for (;;) {
    const answer = await environment.api.send({
      method: 'GET',
      path: `/v2/reserved_ips/${lane.ip}/actions/${action.id}`,
      status: 200,
      schema: z.object({ action: z.object({ status: z.string() }) }),
    });
    if (answer.action.status === 'errored') throw new Error(`action ${action.id} errored`);
    if (answer.action.status === 'completed') {
      lane.assigned = true;
      return performance.now() - begin;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const POLL_MS = 5;
