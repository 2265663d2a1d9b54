import type { WorkflowStartOptions } from '@temporalio/client';
import { TASK_QUEUE } from '../domain/names.ts';
import { type Operation, workflowIdOf } from '../domain/operation.ts';
import { attributesOf, attributesOfAdmitted } from '../domain/search-attributes.ts';
import type { DecidedOperation, Outcome } from '../domain/verdict.ts';
import { markdownText } from '../text/visible.ts';

/** An operation's workflow, by its type: the name is the operation's kind. */
export type OperationWorkflow = (operation: Operation, decided?: DecidedOperation) => Promise<Outcome>;

/** A worker that dies with a task gives it back after this; a task takes a second at most while a host is waited for. */
const WORKFLOW_TASK_TIMEOUT_MS = 3_000;

/**
 * How every operation is started. The workflow id is the per-address serialization: the server refuses a second start
 * while one is open, and a closed one does not stand in the way. `decided` is given when it is admitted already.
 */
export function startOptions(operation: Operation, decided?: DecidedOperation) {
  const args: Parameters<OperationWorkflow> = decided ? [operation, decided] : [operation];
  return {
    args,
    workflowTaskTimeout: WORKFLOW_TASK_TIMEOUT_MS,
    taskQueue: TASK_QUEUE,
    workflowId: workflowIdOf(operation),
    workflowIdConflictPolicy: 'FAIL',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: markdownText(summaryOf(operation)),
    typedSearchAttributes: decided ? attributesOfAdmitted(operation, decided.admitted) : attributesOf(operation),
  } satisfies WorkflowStartOptions<OperationWorkflow>;
}

/** The line operators read in the Web UI. */
function summaryOf(operation: Operation): string {
  switch (operation.kind) {
    case 'reserve':
      return `reserve in ${operation.target.region ?? `the region of droplet ${operation.target.dropletId}`}`;
    case 'assign':
      return `assign ${operation.address} to droplet ${operation.dropletId}`;
    case 'unassign':
      return `unassign ${operation.address}`;
    case 'release':
      return `release ${operation.address}`;
  }
}
