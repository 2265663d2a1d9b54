import {
  CancellationScope,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import { admittedOf, commandsOf } from '../domain/admitted.ts';
import type { BillingChange } from '../domain/billing.ts';
import type { Decision, HostCommand } from '../domain/decision.ts';
import type { HostChange } from '../domain/host-protocol.ts';
import { acknowledgmentActivityId, billingWorkflowId } from '../domain/names.ts';
import type { Operation } from '../domain/operation.ts';
import { ACCOUNT, ADDRESS, OPERATION, REGION } from '../domain/search-attributes.ts';
import type { OperationTimeouts } from '../domain/timeouts.ts';
import { publishBillingEvent } from './billing.ts';
import type { OperationContext } from './context.ts';
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

/** Admits the operation, or reads the decision it already has. */
export async function admitByActivity(
  operation: Operation,
  progress: Progress,
): Promise<{ decision: Decision; timeouts: OperationTimeouts }> {
  const step = { what: `asking MySQL whether to ${operation.kind}`, stuckAfterMs: ADMIT_STUCK_AFTER_MS };
  const { verdict, patience } = await CancellationScope.nonCancellable(() =>
    progress.during(step, () => inDatabase.admit(operation)),
  );
  return { decision: verdict.kind === 'admitted' ? admittedOf(verdict) : verdict, timeouts: patience };
}

const { finishSoon } = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { maximumAttempts: 1 },
});

/**
 * Carries an admitted operation to its end, if its hosts are quick. Whatever keeps it from that is met again by the steps
 * that operators see; a billing event that Kafka does not take moves to a workflow of its own.
 */
export async function finishedSoon(context: OperationContext): Promise<{ settled: boolean }> {
  const { operation, admitted } = context;
  return CancellationScope.nonCancellable(async () => {
    const { settled, unbilled } = await finishSoon(operation, admitted).catch(() => ({
      settled: admitted.settled,
      unbilled: admitted.billing,
    }));
    for (const change of unbilled) await publishForAsLongAsItTakes(context, change);
    return { settled };
  });
}

/** Makes the change true and gives the fence up; answers what billing is to hear. */
export function settle(context: OperationContext): Promise<BillingChange[]> {
  const { operation, admitted } = context;
  return databaseStep(context, `settling the ${operation.kind} of ${admitted.address} in MySQL`, () =>
    inDatabase.settle(operation, admitted),
  );
}

function databaseStep<Result>(context: OperationContext, what: string, work: () => Promise<Result>): Promise<Result> {
  const step = { what, stuckAfterMs: context.timeouts.stuckAfterMs };
  return CancellationScope.nonCancellable(() => context.progress.during(step, work));
}

const ONE_TRY = {
  scheduleToCloseTimeout: '2 seconds',
  startToCloseTimeout: '2 seconds',
  retry: { maximumAttempts: 1 },
} as const;
const { publishBilling: publishLocally } = proxyLocalActivities<Activities>(ONE_TRY);
const { publishBilling: publishByActivity } = proxyActivities<Activities>(ONE_TRY);

/** Waits until every host that is to attach something has; fails when the attempts of one are used up. */
export async function attached(context: OperationContext): Promise<void> {
  await everyCommand(context, 'attach', context.timeouts);
}

/** Waits until every host that is to detach something has; fails when the attempts of one are used up. */
export async function detached(context: OperationContext): Promise<void> {
  await everyCommand(context, 'detach', context.timeouts);
}

/** Gives the hosts the address was on before a moment to confirm that they let go; goes on without them after it. */
export async function detachedFromPreviousHosts(context: OperationContext): Promise<void> {
  const { previousHostTimeoutMs } = context.timeouts;
  const moment = { timeoutMs: previousHostTimeoutMs, attempts: null, totalMs: previousHostTimeoutMs };
  await everyCommand(context, 'detach', moment).catch(() => {});
}

/** Waits until every host has let go, for as long as it takes: what was released cannot be taken back. */
export async function detachedForCertain(context: OperationContext): Promise<void> {
  const limits = { timeoutMs: context.timeouts.timeoutMs, attempts: null };
  await CancellationScope.nonCancellable(() => everyCommand(context, 'detach', limits));
}

/** How long one try of a wait may take, in milliseconds, how many tries it has (null is no limit), and how long all. */
interface WaitLimits {
  timeoutMs: number;
  attempts: number | null;
  totalMs?: number;
}

async function everyCommand(context: OperationContext, change: HostChange, limits: WaitLimits): Promise<void> {
  await Promise.all(
    commandsOf(context.admitted, change).map((command) => hostAcknowledgment(context, command, limits)),
  );
}

async function hostAcknowledgment(context: OperationContext, command: HostCommand, limits: WaitLimits): Promise<void> {
  const { operation, admitted, timeouts, progress } = context;
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
  const step = { what, stuckAfterMs: timeouts.stuckAfterMs, activity: { id: activityId, attempts } };
  await progress.during(step, () => awaitHostAcknowledgment(operation, admitted, command));
}

/**
 * Publishes billing events beside the operation. One that does not get through at once moves to a workflow of its own,
 * which tries for as long as it takes, so that a failing Kafka delays nobody.
 */
export function bill(context: OperationContext, changes: BillingChange[]): Promise<void> {
  return billBy(publishLocally, context, changes);
}

/**
 * The same for what admit itself settled. A local activity keeps the workflow task, and with it the decision that a
 * starter may wait for: to such a one Kafka must not matter, and it is worth another workflow task.
 */
export function billAtAdmit(context: OperationContext): Promise<void> {
  return billBy(context.decisionFirst ? publishByActivity : publishLocally, context, context.admitted.billing);
}

async function billBy(
  publish: Activities['publishBilling'],
  context: OperationContext,
  changes: BillingChange[],
): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    for (const change of changes) {
      await publish(change).catch(() => publishForAsLongAsItTakes(context, change));
    }
  });
}

async function publishForAsLongAsItTakes(
  { operation, timeouts }: OperationContext,
  change: BillingChange,
): Promise<void> {
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
    args: [change, timeouts.billingStuckAfterMs],
  });
}

/**
 * Undoes the operation because a host failed it, and fails the workflow with what an operator can do.
 * A run that may not write has nothing to undo and just fails.
 */
export async function undoAndFail(context: OperationContext, error: unknown): Promise<never> {
  const { operation, admitted } = context;
  if (isFinal(error)) throw error;
  const reason = reasonOf(error, admitted);
  await databaseStep(context, `undoing the ${operation.kind} of ${admitted.address} in MySQL`, () =>
    inDatabase.undo(operation, admitted, reason.text),
  );
  throw undoneFailure(reason, admitted);
}
