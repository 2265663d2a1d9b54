import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Operation } from '../domain/operation.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { AdmissionDesk } from './admission-desk.ts';
import { OperationUnavailableError } from './errors.ts';
import { operationHandle, pendingAddress } from './handle.ts';
import { type OperationWorkflow, startOptions } from './start-options.ts';
import type { OperationHandle } from './types.ts';
import { waitUntilClosed } from './wait-until-closed.ts';

const START_TIMEOUT_MS = 1_500;
/** A run that has settled closes within milliseconds; this is how long the next operation waits for it. */
const CLOSING_TIMEOUT_MS = 3_000;
/** A run that has only just begun takes its fence within milliseconds: how often to look for it. */
const FENCE_LOOK_MS = 10;
const RETRY_PAUSE_MS = 50;
/** After the window and this margin no transaction can still admit the operation. */
const WINDOW_MARGIN_MS = 200;

/** What {@link startWithDesk} starts with. */
export interface DeskStarter {
  temporal: Client;
  desk: AdmissionDesk;
  eager: boolean;
}

/**
 * Durable first, then fast: starts the workflow, and then decides here and now, as the workflow's first step would.
 * A refused start is answered as a pending address, unless the run in the way has settled and is only closing.
 * `repeated` says that the operation may have been started before under the same id.
 * Throws {@link OperationUnavailableError} when it is certain that the operation will not happen, and the database's own
 * error when it cannot tell what stands in the way.
 */
export async function startWithDesk(
  starter: DeskStarter,
  makeOperation: () => Operation,
  repeated: boolean,
): Promise<OperationHandle> {
  const { temporal } = starter;
  const closedBy = Date.now() + CLOSING_TIMEOUT_MS;
  for (;;) {
    const operation = makeOperation();
    const started = await start(starter, operation);
    if (started.kind !== 'already started') {
      return operationHandle(temporal, operation, started.verdict, started.runId);
    }
    const standing = await standingOf(starter, operation, repeated, closedBy);
    if (standing.kind === 'decided') return operationHandle(temporal, operation, standing.verdict, null);
    if (standing.kind === 'busy') return operationHandle(temporal, operation, pendingAddress(operation), null);
  }
}

type Started = { kind: 'decided'; verdict: Verdict; runId: string | null } | { kind: 'already started' };

async function start({ temporal, desk, eager }: DeskStarter, operation: Operation): Promise<Started> {
  const starting = startWorkflow(temporal, operation, eager);
  // Prepared while Temporal starts the workflow, and written only after it has.
  const prepared = desk.admit(operation, starting);
  // Whether it fails is looked at further down, unless the start fails, and then it fails with it.
  prepared.catch(() => {});
  let runId: string;
  try {
    runId = await starting;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { kind: 'already started' };
    return { kind: 'decided', verdict: await sealInWindow(desk, operation, error), runId: null };
  }
  const attempts = [prepared];
  const verdict = await inWindow(operation, () => attempts.pop() ?? desk.admit(operation, Promise.resolve()));
  return { kind: 'decided', verdict, runId };
}

/** Starts the workflow and answers its run id. */
async function startWorkflow(temporal: Client, operation: Operation, eager: boolean): Promise<string> {
  const options = { ...startOptions(operation), requestEagerStart: eager };
  const handle = await temporal.withDeadline(Date.now() + START_TIMEOUT_MS, () =>
    temporal.workflow.start<OperationWorkflow>(operation.kind, options),
  );
  return handle.firstExecutionRunId;
}

/**
 * The start may have reached Temporal or not. Refuses the operation in the database, so that no worker admits it after
 * the caller was told that it did not happen; if one already has, that is the answer.
 */
async function sealInWindow(desk: AdmissionDesk, operation: Operation, cause: unknown): Promise<Verdict> {
  const verdict = await inWindow(operation, () => desk.seal(operation));
  if (verdict.kind === 'refused' && verdict.refusal === 'expired') {
    throw new OperationUnavailableError(operation.id, cause);
  }
  return verdict;
}

/** Tries until the database answers or the window has passed for everybody, whichever is first. */
async function inWindow(operation: Operation, decide: () => Promise<Verdict>): Promise<Verdict> {
  const windowEnd = new Date(operation.admitBefore).getTime() + WINDOW_MARGIN_MS;
  const timer = new AbortController();
  const windowPassed = sleep(windowEnd - Date.now(), null, { signal: timer.signal }).catch(() => null);
  try {
    for (;;) {
      let problem: unknown = new Error('the database did not answer in time');
      const decided = decide().catch((error: unknown) => {
        problem = error;
        return undefined;
      });
      const verdict = await Promise.race([decided, windowPassed]);
      if (verdict) return verdict;
      if (verdict === null || Date.now() >= windowEnd) throw new OperationUnavailableError(operation.id, problem);
      await sleep(RETRY_PAUSE_MS);
    }
  } finally {
    timer.abort();
  }
}

type Standing = { kind: 'decided'; verdict: Verdict } | { kind: 'busy' } | { kind: 'closed' };

/**
 * What the run in the way is: this very operation, started before; one that holds the fence, or is about to; or one
 * that has settled and is waited for until it is closed.
 */
async function standingOf(
  { temporal, desk }: DeskStarter,
  operation: Operation,
  repeated: boolean,
  closedBy: number,
): Promise<Standing> {
  const verdict = repeated ? await desk.findVerdict(operation.id) : null;
  if (verdict) return { kind: 'decided', verdict };
  const closed = waitUntilClosed(temporal, operation, closedBy).then(() => true);
  while (Date.now() < closedBy) {
    if (operation.kind !== 'reserve' && (await desk.isFenced(operation.address))) return { kind: 'busy' };
    if (await Promise.race([closed, sleep(FENCE_LOOK_MS, false)])) return { kind: 'closed' };
  }
  return { kind: 'busy' };
}
