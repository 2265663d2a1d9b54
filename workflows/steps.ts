import {
  CancellationScope,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { BillingChange } from '../domain/billing.ts';
import type { HostCommand, Verdict } from '../domain/decision.ts';
import { admittedOf, commandsOf } from '../domain/host-commands.ts';
import type { HostChange } from '../domain/host-event.ts';
import { acknowledgmentActivityId, billingWorkflowId } from '../domain/names.ts';
import type { Operation } from '../domain/operation.ts';
import { ACCOUNT, ADDRESS, OPERATION, REGION } from '../domain/search-attributes.ts';
import type { Patience } from '../domain/timeouts.ts';
import { publishBillingEvent } from './billing.ts';
import type { Run } from './context.ts';
import { isFinal, reasonOf, undoneFailure } from './failures.ts';
import type { Progress } from './progress.ts';

/*
 * The steps that the operations share. Short MySQL steps are local activities, because each regular one costs the
 * server a workflow task; the wait for a host is a regular one, because operators must see it.
 */

const inDatabase = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '10 seconds' },
});

/** Before the operation is admitted nothing has told its worker's settings. In milliseconds. */
const ADMIT_STUCK_AFTER_MS = 30_000;

/*
 * The MySQL steps are repeated until MySQL answers, and a cancellation does not reach them: an admitted operation must
 * end. Only the wait for a host can be cancelled, and only where what was begun can be undone.
 */

/** Admits the operation, or reads the verdict it already has. */
export async function admit(
  operation: Operation,
  progress: Progress,
): Promise<{ verdict: Verdict; patience: Patience }> {
  const trial = { what: `asking MySQL whether to ${operation.kind}`, stuckAfterMs: ADMIT_STUCK_AFTER_MS };
  const { verdict, patience } = await CancellationScope.nonCancellable(() =>
    progress.during(trial, () => inDatabase.admit(operation)),
  );
  return { verdict: verdict.kind === 'admitted' ? admittedOf(verdict) : verdict, patience };
}

const { finishSoon } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/**
 * Carries an admitted operation to its end, if its hosts are quick. Whatever keeps it from that is met again by the steps
 * that operators see; a billing event that Kafka does not take moves to a workflow of its own.
 */
export async function finishedSoon(run: Run): Promise<{ settled: boolean }> {
  const { operation, admitted } = run;
  return CancellationScope.nonCancellable(async () => {
    const { settled, unbilled } = await finishSoon(operation, admitted).catch(() => ({
      settled: admitted.settled,
      unbilled: admitted.billing,
    }));
    for (const change of unbilled) await publishForAsLongAsItTakes(run, change);
    return { settled };
  });
}

/** Makes the change true and gives the fence up; answers what billing is to hear. */
export function settle(run: Run): Promise<BillingChange[]> {
  const { operation, admitted } = run;
  return databaseStep(run, `settling the ${operation.kind} of ${admitted.address} in MySQL`, () =>
    inDatabase.settle(operation, admitted),
  );
}

function databaseStep<Result>(run: Run, what: string, step: () => Promise<Result>): Promise<Result> {
  const trial = { what, stuckAfterMs: run.patience.stuckAfterMs };
  return CancellationScope.nonCancellable(() => run.progress.during(trial, step));
}

const ONE_TRY = {
  scheduleToCloseTimeout: '2 seconds',
  startToCloseTimeout: '2 seconds',
  retry: { maximumAttempts: 1 },
} as const;
const { publishBilling: publishNearby } = proxyLocalActivities<Activities>(ONE_TRY);
const { publishBilling: publishElsewhere } = proxyActivities<Activities>(ONE_TRY);

/** Waits until every host that is to attach something has; fails when the attempts of one are used up. */
export async function attached(run: Run): Promise<void> {
  await everyCommand(run, 'attach', run.patience);
}

/** Waits until every host that is to detach something has; fails when the attempts of one are used up. */
export async function detached(run: Run): Promise<void> {
  await everyCommand(run, 'detach', run.patience);
}

/** Gives the hosts the address was on before a moment to confirm that they let go; goes on without them after it. */
export async function detachedFromPreviousHosts(run: Run): Promise<void> {
  const { previousHostTimeoutMs } = run.patience;
  const moment = { timeoutMs: previousHostTimeoutMs, attempts: null, totalMs: previousHostTimeoutMs };
  await everyCommand(run, 'detach', moment).catch(() => {});
}

/** Waits until every host has let go, for as long as it takes: what was released cannot be taken back. */
export async function detachedForCertain(run: Run): Promise<void> {
  const limits = { timeoutMs: run.patience.timeoutMs, attempts: null };
  await CancellationScope.nonCancellable(() => everyCommand(run, 'detach', limits));
}

/** How long one try of a wait may take, in milliseconds, how many tries it has (null is no limit), and how long all. */
interface WaitLimits {
  timeoutMs: number;
  attempts: number | null;
  totalMs?: number;
}

async function everyCommand(run: Run, change: HostChange, limits: WaitLimits): Promise<void> {
  await Promise.all(commandsOf(run.admitted, change).map((command) => hostAcknowledgment(run, command, limits)));
}

async function hostAcknowledgment(run: Run, command: HostCommand, limits: WaitLimits): Promise<void> {
  const { operation, admitted, patience, progress } = run;
  const { timeoutMs, attempts, totalMs } = limits;
  const { workflowId } = workflowInfo();
  const activityId = acknowledgmentActivityId({ workflowId, operationId: admitted.operationId, ...command });
  const what = `waiting for ${command.host} to ${command.change} ${command.address}`;
  const { awaitHostAcknowledgment } = proxyActivities<Activities>({
    activityId,
    startToCloseTimeout: timeoutMs,
    ...(totalMs === undefined ? {} : { scheduleToCloseTimeout: totalMs }),
    summary: what,
    retry: {
      initialInterval: '200 milliseconds',
      maximumInterval: '30 seconds',
      ...(attempts === null ? {} : { maximumAttempts: attempts }),
    },
  });
  const trial = { what, stuckAfterMs: patience.stuckAfterMs, activity: { id: activityId, attempts } };
  await progress.during(trial, () => awaitHostAcknowledgment(operation, admitted, command));
}

/**
 * Publishes billing events beside the operation. One that does not get through at once moves to a workflow of its own,
 * which tries for as long as it takes, so that a failing Kafka delays nobody.
 */
export function bill(run: Run, changes: BillingChange[]): Promise<void> {
  return billBy(publishNearby, run, changes);
}

/**
 * The same for what admit itself settled. A local activity keeps the workflow task, and with it the verdict that a
 * starter may wait for: to such a one Kafka must not matter, and it is worth another workflow task.
 */
export function billAtAdmit(run: Run): Promise<void> {
  return billBy(run.verdictFirst ? publishElsewhere : publishNearby, run, run.admitted.billing);
}

async function billBy(publish: Activities['publishBilling'], run: Run, changes: BillingChange[]): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    for (const change of changes) {
      await publish(change).catch(() => publishForAsLongAsItTakes(run, change));
    }
  });
}

async function publishForAsLongAsItTakes({ operation, patience }: Run, change: BillingChange): Promise<void> {
  await startChild(publishBillingEvent, {
    workflowId: billingWorkflowId(change.eventId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: `bill ${change.kind} ${change.address}`,
    typedSearchAttributes: [
      { key: ADDRESS, value: change.address },
      { key: ACCOUNT, value: change.accountId },
      { key: REGION, value: change.region },
      { key: OPERATION, value: operation.id },
    ],
    args: [change, patience.billingStuckAfterMs],
  });
}

/**
 * Undoes the operation because a host failed it, and fails the workflow with what an operator can do.
 * A run that may not write has nothing to undo and just fails.
 */
export async function undoAndFail(run: Run, error: unknown): Promise<never> {
  const { operation, admitted } = run;
  if (isFinal(error)) throw error;
  const reason = reasonOf(error, admitted);
  await databaseStep(run, `undoing the ${operation.kind} of ${admitted.address} in MySQL`, () =>
    inDatabase.undo(operation, admitted, reason.text),
  );
  throw undoneFailure(reason, admitted);
}
