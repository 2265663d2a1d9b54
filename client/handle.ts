import type { Client } from '@temporalio/client';
import type { Decision } from '../domain/decision.ts';
import { type Operation, workflowIdOf } from '../domain/operation.ts';
import type { OperationWorkflow } from './start-options.ts';
import type { OperationHandle } from './types.ts';

/** The handle of an operation; `findRunId` answers null when no run of its own was started. */
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
      // What its workflow still does is for billing.
      if (decision.settled) return { kind: 'completed', actionId: decision.actionId, address: decision.address };
      const runId = await findRunId();
      return temporal.workflow.getHandle<OperationWorkflow>(workflowId, runId ?? undefined).result();
    },
  };
}

/** The answer when another operation on the address is open; nothing was started and nothing is stored. */
export function pendingAddress(operation: Operation): Decision {
  return { kind: 'refused', operationId: operation.id, refusal: 'address_pending' };
}
