import type { WorkflowStartOptions } from '@temporalio/client';
import type { SearchAttributePair } from '@temporalio/common';
import { admittedOf } from '../domain/admitted.ts';
import type { DecidedOperation, Outcome } from '../domain/decision.ts';
import { TASK_QUEUE } from '../domain/names.ts';
import { kindOf, type Operation, workflowIdOf } from '../domain/operation.ts';
import { ACCOUNT, ADDRESS, attributesOfAdmitted, OPERATION, REGION } from '../domain/search-attributes.ts';
import { markdownText } from '../platform/text/visible.ts';

/** An operation's workflow, by its type: the name is the operation's kind. */
export type OperationWorkflow = (operation: Operation, decided?: DecidedOperation) => Promise<Outcome>;

/** A worker that dies with a task gives it back after this; a task takes a second at most while a host is waited for. */
const WORKFLOW_TASK_TIMEOUT_MS = 3_000;

/**
 * How every operation is started. The workflow id is the per-address serialization: the server rejects a second start
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
    staticSummary: markdownText(kindOf(operation).summary(operation)),
    typedSearchAttributes: decided
      ? attributesOfAdmitted(operation, admittedOf(decided.admitted))
      : attributesOf(operation),
  } satisfies WorkflowStartOptions<OperationWorkflow>;
}

/** What can be said of an operation before it is admitted. */
function attributesOf(operation: Operation): SearchAttributePair[] {
  const { address, region } = kindOf(operation).about(operation);
  return [
    { key: ACCOUNT, value: operation.accountId },
    { key: OPERATION, value: operation.id },
    ...(address === null ? [] : [{ key: ADDRESS, value: address }]),
    ...(region === null ? [] : [{ key: REGION, value: region }]),
  ];
}
