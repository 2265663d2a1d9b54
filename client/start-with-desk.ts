import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { Operation } from '../domain/operation.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { AdmissionDesk } from './admission-desk.ts';
import { OperationInDoubtError, OperationUnavailableError } from './errors.ts';
import { lostAddress, operationHandle, pendingAddress } from './handle.ts';
import { type OperationWorkflow, startOptions } from './start-options.ts';
import type { OperationHandle } from './types.ts';
import { waitUntilClosed } from './wait-until-closed.ts';

/** With the reads before it and the seal after it, a caller is refused within 2 s. */
const START_TIMEOUT_MS = 1_250;
/** In which a start that has met its deadline says so itself. */
const START_GRACE_MS = 50;
/** A run that has settled closes within milliseconds; this is how long the next operation waits for it. */
const CLOSING_TIMEOUT_MS = 3_000;
/** A run that has only just begun takes its fence within milliseconds: how often to look for it. */
const FENCE_LOOK_MS = 10;
const RETRY_PAUSE_MS = 50;
/** After the window and this margin no transaction can still admit the operation. */
const WINDOW_MARGIN_MS = 200;
/** How long an operation that may have been admitted is asked about when its window has passed. */
const SEAL_TIMEOUT_MS = 3_000;

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
 * Throws {@link OperationUnavailableError} when it is certain that the operation will not happen,
 * {@link OperationInDoubtError} when nobody can tell, and the database's own error when it cannot tell what stands in
 * the way.
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
    if (standing !== 'closed') return operationHandle(temporal, operation, standing, null);
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
    return { kind: 'decided', verdict: await sealed(desk, operation, error), runId: null };
  }
  const attempts = [prepared];
  const decide = () => attempts.pop() ?? desk.admit(operation, Promise.resolve());
  const windowEnd = new Date(operation.admitBefore).getTime() + WINDOW_MARGIN_MS;
  const { verdict, problem } = await untilDecided(decide, windowEnd);
  return { kind: 'decided', verdict: verdict ?? (await sealed(desk, operation, problem)), runId };
}

/**
 * Starts the workflow and answers its run id. The deadline alone does not end it in time: while connections are refused,
 * the SDK pauses between its tries, past the deadline too. One that is given up may still arrive.
 */
async function startWorkflow(temporal: Client, operation: Operation, eager: boolean): Promise<string> {
  const options = { ...startOptions(operation), requestEagerStart: eager };
  const starting = temporal.withDeadline(Date.now() + START_TIMEOUT_MS, () =>
    temporal.workflow.start<OperationWorkflow>(operation.kind, options),
  );
  // Nobody waits for it any more when it is late.
  starting.catch(() => {});
  const timer = new AbortController();
  const late = sleep(START_TIMEOUT_MS + START_GRACE_MS, null, { signal: timer.signal }).catch(() => null);
  const handle = await Promise.race([starting, late]).finally(() => timer.abort());
  if (handle === null) throw new Error(`Temporal did not answer a start within ${START_TIMEOUT_MS} ms`);
  return handle.firstExecutionRunId;
}

/**
 * The operation may have started, and a worker, or a commit that was not answered, may have admitted it. Refuses it in
 * the database, so that nobody admits it after its caller was told that it did not happen; if somebody already has, that
 * is the answer. Without the database's word nothing can be said.
 */
async function sealed(desk: AdmissionDesk, operation: Operation, cause: unknown): Promise<Verdict> {
  const { verdict } = await untilDecided(() => desk.seal(operation), Date.now() + SEAL_TIMEOUT_MS);
  if (verdict === null) throw new OperationInDoubtError(operation.id, cause);
  if (verdict.kind === 'refused' && verdict.refusal === 'expired') {
    throw new OperationUnavailableError(operation.id, cause);
  }
  return verdict;
}

/** Tries until the database answers or `deadline` (epoch ms) passes: then there is no verdict, but the last problem. */
async function untilDecided(
  decide: () => Promise<Verdict>,
  deadline: number,
): Promise<{ verdict: Verdict | null; problem: unknown }> {
  const timer = new AbortController();
  const late = sleep(deadline - Date.now(), null, { signal: timer.signal }).catch(() => null);
  try {
    for (;;) {
      let problem: unknown = new Error('the database did not answer in time');
      const decided = decide().catch((error: unknown) => {
        problem = error;
        return undefined;
      });
      const verdict = await Promise.race([decided, late]);
      if (verdict) return { verdict, problem: null };
      if (verdict === null || Date.now() >= deadline) return { verdict: null, problem };
      await sleep(RETRY_PAUSE_MS);
    }
  } finally {
    timer.abort();
  }
}

/**
 * What the run in the way is: this very operation, started before; one that holds the fence, or is about to; or one
 * that has settled and is waited for until it is closed. Of a run that neither holds the fence nor closes nothing can be
 * told to the caller but to come again.
 */
async function standingOf(
  { temporal, desk }: DeskStarter,
  operation: Operation,
  repeated: boolean,
  closedBy: number,
): Promise<Verdict | 'closed'> {
  const ownVerdict = () => (repeated ? desk.findVerdict(operation.id) : null);
  const verdict = await ownVerdict();
  if (verdict) return verdict;
  const closed = waitUntilClosed(temporal, operation, closedBy).then(() => true);
  while (Date.now() < closedBy) {
    const standing = operation.kind === 'reserve' ? 'idle' : await desk.standing(operation);
    // The operation itself may have come to its verdict meanwhile.
    if (standing !== 'idle') {
      return (await ownVerdict()) ?? (standing === 'fenced' ? pendingAddress(operation) : lostAddress(operation));
    }
    if (await Promise.race([closed, sleep(FENCE_LOOK_MS, false)])) return 'closed';
  }
  const cause = new Error('another operation on the address does not close');
  if (repeated) throw new OperationInDoubtError(operation.id, cause);
  throw new OperationUnavailableError(operation.id, cause);
}
