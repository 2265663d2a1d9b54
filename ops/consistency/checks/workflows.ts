import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import { type OpenOperation, openOperations } from '../../../db/checked-operations.ts';
import type { Database } from '../../../db/database.ts';
import type { Violation } from '../../../domain/consistency-report.ts';
import { OPERATION_KIND_NAMES } from '../../../domain/operation.ts';

const AT_A_TIME = 20;

/**
 * Every operation that holds a fence has its workflow open, and no workflow of an address is open without one.
 * Open workflows are listed only to know whom to ask: lists lag behind, so each is looked at by itself.
 */
export async function checkWorkflows(db: Database, temporal: Client): Promise<Violation[]> {
  const operations: OpenOperation[] = [];
  for await (const page of openOperations(db)) operations.push(...page);
  const fenced = new Set(operations.map((operation) => operation.workflowId));
  const gone = await inBatches(operations, (operation) => findGone(temporal, operation));
  const open: string[] = [];
  for await (const { workflowId } of temporal.workflow.list({ query: OPEN_OPERATIONS })) open.push(workflowId);
  const unfenced = open.filter((workflowId) => !fenced.has(workflowId));
  const stray = await inBatches(unfenced, (workflowId) => findStray(temporal, workflowId));
  return [...gone, ...stray].flatMap((violation) => violation ?? []);
}

const WORKFLOW_TYPES = OPERATION_KIND_NAMES.map((kind) => `'${kind}'`).join(', ');
const OPEN_OPERATIONS = `ExecutionStatus = 'Running' AND WorkflowType IN (${WORKFLOW_TYPES})`;

async function findGone(temporal: Client, operation: OpenOperation): Promise<Violation | null> {
  const status = await statusOf(temporal, operation.workflowId);
  if (status === 'RUNNING') return null;
  return {
    invariant: 2,
    subject: operation.address,
    detail: `fenced by action ${operation.actionId}, but workflow ${operation.workflowId} is ${status}`,
  };
}

async function findStray(temporal: Client, workflowId: string): Promise<Violation | null> {
  if ((await statusOf(temporal, workflowId)) !== 'RUNNING') return null;
  return { invariant: 2, subject: workflowId, detail: 'open, but holds no fence' };
}

/** The status of a workflow's newest run, or `missing`. */
export async function statusOf(temporal: Client, workflowId: string): Promise<string> {
  try {
    return (await temporal.workflow.getHandle(workflowId).describe()).status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return 'missing';
    throw error;
  }
}

/** Runs something for every item, a few at a time. */
export async function inBatches<Item, Result>(items: Item[], run: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += AT_A_TIME) {
    results.push(...(await Promise.all(items.slice(start, start + AT_A_TIME).map(run))));
  }
  return results;
}
