import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { type OperationWorkflow, startOptions } from '../client/start-options.ts';
import { findRequest, holdsFence, type OpenOperation, openOperations } from '../db/audited-operations.ts';
import type { Database } from '../db/database.ts';
import type { TakenUp } from '../domain/audit-report.ts';
import { inBatches, statusOf } from './checks/workflows.ts';

/** What {@link takeUpOperations} works with. */
export interface TakeUpOptions {
  db: Database;
  temporal: Client;
  /** Called after every page. */
  onProgress?: () => void;
}

/**
 * Starts every operation again that holds a fence and has no open workflow any more: it was terminated, or ended by the
 * reset of an older run. It goes on from what MySQL says, so repeating what it did before changes nothing. Nothing is
 * released: whether the operation completes or is undone is its workflow's to say.
 */
export async function takeUpOperations({ db, temporal, onProgress = () => {} }: TakeUpOptions): Promise<TakenUp> {
  const report: TakenUp = { open: 0, takenUp: [] };
  for await (const page of openOperations(db)) {
    report.open += page.length;
    const started = await inBatches(page, async (operation) => {
      if (!(await isOrphan(db, temporal, operation))) return null;
      return (await startAgain(db, temporal, operation.operationId)) ? operation.workflowId : null;
    });
    report.takenUp.push(...started.flatMap((workflowId) => workflowId ?? []));
    onProgress();
  }
  return report;
}

async function isOrphan(db: Database, temporal: Client, operation: OpenOperation): Promise<boolean> {
  if ((await statusOf(temporal, operation.workflowId)) === 'RUNNING') return false;
  // It may have settled and closed between the two looks.
  return holdsFence(db, operation.actionId);
}

/**
 * Starts the workflow of an operation again. Answers false when another one is open under its id, whose turn comes
 * first, or when nothing is known of the operation any more.
 */
export async function startAgain(db: Database, temporal: Client, operationId: string): Promise<boolean> {
  const operation = await findRequest(db, operationId);
  if (!operation) return false;
  try {
    await temporal.workflow.start<OperationWorkflow>(operation.kind, startOptions(operation));
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}
