import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Decision } from '../domain/decision.ts';
import type { OperationId } from '../domain/identifiers.ts';
import { type Operation, workflowIdOf } from '../domain/operation.ts';
import { OPERATION } from '../domain/search-attributes.ts';
import type { OperationWorkflow } from './start-options.ts';
import type { OperationHandle } from './types.ts';

/** Pause between two looks for the run of an operation that waits to be started. */
const LOOK_MS = 250;

/** The handle of an operation; `findRunId` answers null when its caller has started no run of it. */
export function operationHandle(
  temporal: Client,
  operation: Operation,
  decision: Decision,
  findRunId: () => Promise<string | null>,
): OperationHandle {
  const workflowId = workflowIdOf(operation);
  return {
    operationId: operation.id,
    workflowId,
    decision,
    completed: async () => {
      if (decision.kind === 'refused') return decision;
      // Its workflow only has to publish billing events.
      if (decision.settled) return { kind: 'completed', actionId: decision.actionId, address: decision.address };
      const runId = await findRunId();
      // Without a run id it would be the address's newest run, which may be another operation's.
      const ownRunId = runId ?? (await untilStarted(temporal, operation.id));
      return temporal.workflow.getHandle<OperationWorkflow>(workflowId, ownRunId).result();
    },
  };
}

/** The run of an operation that somebody else starts, or has started, however long that takes. */
async function untilStarted(temporal: Client, operationId: OperationId): Promise<string> {
  for (;;) {
    const runs = temporal.workflow.list({ query: `${OPERATION.name} = "${operationId}"`, pageSize: 1 });
    for await (const { runId } of runs) return runId;
    await sleep(LOOK_MS);
  }
}

/** The answer when another operation on the address is open; nothing was started and nothing is stored. */
export function pendingAddress(operation: Operation): Decision {
  return { kind: 'refused', operationId: operation.id, refusal: 'address_pending' };
}
