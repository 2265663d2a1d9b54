import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { announcedDecisionSchema, type Decision } from '../domain/decision.ts';
import { type Operation, workflowIdOf } from '../domain/operation.ts';
import { OperationInDoubtError, OperationUnavailableError } from './errors.ts';
import { operationHandle, pendingAddress } from './handle.ts';
import { type OperationWorkflow, startOptions } from './start-options.ts';
import type { OperationHandle } from './types.ts';
import { waitUntilClosed } from './wait-until-closed.ts';

/** A run that only has to close does so within milliseconds; a busy one is not waited for any longer than this. */
const CLOSING_TIMEOUT_MS = 500;
/** How long an operation is asked about whose verdict did not come in its window. */
const DOUBT_TIMEOUT_MS = 3_000;
/** After the window and this margin, the most that the admitting transaction takes, nobody can admit the operation. */
const WINDOW_MARGIN_MS = 1_700;

/** An operation that its workflow admits in time, or never. */
export type BoundedOperation = Operation & { admitBefore: string };

/**
 * Starts the operation and asks its workflow for the verdict, in one call. For services that have no database.
 * Throws {@link OperationUnavailableError} when the operation was not admitted within its window and therefore never
 * will be, and {@link OperationInDoubtError} when that cannot be told.
 */
export async function startWithUpdate(temporal: Client, operation: BoundedOperation): Promise<OperationHandle> {
  const closedBy = Date.now() + CLOSING_TIMEOUT_MS;
  for (;;) {
    try {
      return await startAndAsk(temporal, operation);
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) {
        return await afterwards(temporal, operation, error);
      }
    }
    if (Date.now() >= closedBy)
      return operationHandle(temporal, operation, pendingAddress(operation), async () => null);
    await waitUntilClosed(temporal, operation, closedBy);
  }
}

async function startAndAsk(temporal: Client, operation: BoundedOperation): Promise<OperationHandle> {
  const startWorkflowOperation = new WithStartWorkflowOperation<OperationWorkflow>(
    operation.kind,
    startOptions(operation),
  );
  const answer = await temporal.withDeadline(new Date(operation.admitBefore), () =>
    temporal.workflow.executeUpdateWithStart('verdict', { updateId: operation.id, startWorkflowOperation }),
  );
  const { verdict, runId } = announcedDecisionSchema.parse(answer);
  return operationHandle(temporal, operation, verdict, async () => runId);
}

/**
 * No verdict came. The start may have arrived all the same, so its run is asked: at once, and when nobody knows of it,
 * once more when nobody can admit it any more.
 */
async function afterwards(temporal: Client, operation: BoundedOperation, cause: unknown): Promise<OperationHandle> {
  const early = await ask(temporal, operation, cause).catch(() => null);
  const asked = early?.verdict.operationId === operation.id ? early : await askAtTheEnd(temporal, operation, cause);
  if (asked === null) throw new OperationUnavailableError(operation.id, cause);
  const { verdict, runId } = asked;
  if (verdict.operationId !== operation.id) throw new OperationInDoubtError(operation.id, cause);
  if (verdict.kind === 'refused' && verdict.refusal === 'expired') {
    throw new OperationUnavailableError(operation.id, cause);
  }
  return operationHandle(temporal, operation, verdict, async () => runId);
}

async function askAtTheEnd(temporal: Client, operation: BoundedOperation, cause: unknown): Promise<Asked | null> {
  await sleep(Math.max(0, new Date(operation.admitBefore).getTime() + WINDOW_MARGIN_MS - Date.now()));
  return ask(temporal, operation, cause);
}

interface Asked {
  verdict: Decision;
  runId: string | null;
}

/** Null when nothing was ever started under the id. */
async function ask(temporal: Client, operation: BoundedOperation, cause: unknown): Promise<Asked | null> {
  try {
    return await temporal.withDeadline(Date.now() + DOUBT_TIMEOUT_MS, () => askAgain(temporal, operation));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw new OperationInDoubtError(operation.id, cause);
  }
}

async function askAgain(temporal: Client, operation: BoundedOperation): Promise<Asked> {
  const handle = temporal.workflow.getHandle<OperationWorkflow>(workflowIdOf(operation));
  try {
    return announcedDecisionSchema.parse(await handle.executeUpdate('verdict', { updateId: operation.id }));
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  // It is closed, or never was. A rejected one has its verdict as its result.
  const outcome = await handle.result();
  if (outcome.kind === 'refused') return { verdict: outcome, runId: null };
  throw new Error('an operation on the address has completed, which may be this one');
}
