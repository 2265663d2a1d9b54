import { type Client, WithStartWorkflowOperation, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Operation } from '../domain/operation.ts';
import { announcedVerdictSchema } from '../domain/verdict.ts';
import { OperationUnavailableError } from './errors.ts';
import { operationHandle, pendingAddress } from './handle.ts';
import { type OperationWorkflow, startOptions } from './start-options.ts';
import type { OperationHandle } from './types.ts';
import { waitUntilClosed } from './wait-until-closed.ts';

/** A run that only has to close does so within milliseconds; a busy one is not waited for any longer than this. */
const CLOSING_TIMEOUT_MS = 500;

/**
 * Starts the operation and asks its workflow for the verdict, in one call. For services that have no database.
 * Throws {@link OperationUnavailableError} when no verdict came within the operation's admission window; the operation
 * is then refused for good.
 */
export async function startWithUpdate(temporal: Client, operation: Operation): Promise<OperationHandle> {
  const closedBy = Date.now() + CLOSING_TIMEOUT_MS;
  for (;;) {
    try {
      return await startAndAsk(temporal, operation);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
        throw new OperationUnavailableError(operation.id, error);
      }
    }
    if (Date.now() >= closedBy) return operationHandle(temporal, operation, pendingAddress(operation), null);
    await waitUntilClosed(temporal, operation, closedBy);
  }
}

async function startAndAsk(temporal: Client, operation: Operation): Promise<OperationHandle> {
  const startWorkflowOperation = new WithStartWorkflowOperation<OperationWorkflow>(
    operation.kind,
    startOptions(operation),
  );
  const answer = await temporal.withDeadline(new Date(operation.admitBefore), () =>
    temporal.workflow.executeUpdateWithStart('verdict', { updateId: operation.id, startWorkflowOperation }),
  );
  const { verdict, runId } = announcedVerdictSchema.parse(answer);
  return operationHandle(temporal, operation, verdict, runId);
}
