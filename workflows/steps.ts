import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  startChild,
} from '@temporalio/workflow';
import type { Admission, HostPatience } from '../activities/admit.ts';
import type { HostWait } from '../activities/host-acknowledgment.ts';
import type { Activities } from '../activities/index.ts';
import type { BillingChange } from '../domain/billing.ts';
import { acknowledgmentActivityId, billingWorkflowId, SUPERSEDED } from '../domain/names.ts';
import type { Operation } from '../domain/operation.ts';
import type { Admitted } from '../domain/verdict.ts';
import { publishBillingEvent } from './billing.ts';

/*
 * The steps that the operations share. Short MySQL steps are local activities, because each regular one costs the
 * server a workflow task; the wait for a host is a regular one, because operators must see it.
 */

const inDatabase = proxyLocalActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '100 milliseconds', maximumInterval: '10 seconds' },
});

/*
 * The MySQL steps are repeated until MySQL answers, and a cancellation does not reach them: an admitted operation must
 * end. Only the wait for a host can be cancelled, and only where what was begun can be undone.
 */

/** Admits the operation, or reads the verdict it already has. */
export function admit(operation: Operation): Promise<Admission> {
  return CancellationScope.nonCancellable(() => inDatabase.admit(operation));
}

/** Makes the change true and lets go of the fence; answers what billing is to hear. */
export function settle(operation: Operation, admitted: Admitted): Promise<BillingChange[]> {
  return CancellationScope.nonCancellable(() => inDatabase.settle(operation, admitted));
}

const { publishBilling } = proxyLocalActivities<Activities>({
  scheduleToCloseTimeout: '2 seconds',
  startToCloseTimeout: '2 seconds',
  retry: { maximumAttempts: 1 },
});

/** Waits until the new host has attached the address; fails when its attempts are used up. */
export async function attached(operation: Operation, admitted: Admitted, patience: HostPatience): Promise<void> {
  if (admitted.attachTo === null) return;
  await hostAcknowledgment(operation, admitted, { host: admitted.attachTo, change: 'attach' }, patience);
}

/** Waits until the host has let go of the address; fails when its attempts are used up. */
export async function detached(operation: Operation, admitted: Admitted, patience: HostPatience): Promise<void> {
  await everyDetach(operation, admitted, patience);
}

/** Gives the hosts the address was on before a moment to confirm that they let go; goes on without them after it. */
export async function detachedFromPreviousHosts(
  operation: Operation,
  admitted: Admitted,
  patience: HostPatience,
): Promise<void> {
  const { previousHostTimeoutMs } = patience;
  const moment = { timeoutMs: previousHostTimeoutMs, attempts: null, totalMs: previousHostTimeoutMs };
  await everyDetach(operation, admitted, moment).catch(() => {});
}

/** Waits until every host has let go, for as long as it takes: what was released cannot be taken back. */
export async function detachedForCertain(
  operation: Operation,
  admitted: Admitted,
  patience: HostPatience,
): Promise<void> {
  const limits = { timeoutMs: patience.timeoutMs, attempts: null };
  await CancellationScope.nonCancellable(() => everyDetach(operation, admitted, limits));
}

/** How long one try of a wait may take, in milliseconds, how many tries it has (null is no limit), and how long all. */
interface WaitLimits {
  timeoutMs: number;
  attempts: number | null;
  totalMs?: number;
}

async function everyDetach(operation: Operation, admitted: Admitted, limits: WaitLimits): Promise<void> {
  await Promise.all(
    admitted.detachFrom.map((host) => hostAcknowledgment(operation, admitted, { host, change: 'detach' }, limits)),
  );
}

async function hostAcknowledgment(
  operation: Operation,
  admitted: Admitted,
  wait: HostWait,
  { timeoutMs, attempts, totalMs }: WaitLimits,
): Promise<void> {
  const { awaitHostAcknowledgment } = proxyActivities<Activities>({
    activityId: acknowledgmentActivityId(admitted.operationId, wait.change, wait.host),
    startToCloseTimeout: timeoutMs,
    ...(totalMs === undefined ? {} : { scheduleToCloseTimeout: totalMs }),
    summary: `waiting for ${wait.host} to ${wait.change} ${admitted.address}`,
    retry: {
      initialInterval: '200 milliseconds',
      maximumInterval: '30 seconds',
      ...(attempts === null ? {} : { maximumAttempts: attempts }),
    },
  });
  await awaitHostAcknowledgment(operation, admitted, wait);
}

/**
 * Publishes billing events beside the operation. One that does not get through at once moves to a workflow of its own,
 * which tries for as long as it takes, so that a failing Kafka delays nobody.
 */
export async function bill(changes: BillingChange[]): Promise<void> {
  await CancellationScope.nonCancellable(async () => {
    for (const change of changes) {
      await publishBilling(change).catch(() => publishForAsLongAsItTakes(change));
    }
  });
}

async function publishForAsLongAsItTakes(change: BillingChange): Promise<void> {
  await startChild(publishBillingEvent, {
    workflowId: billingWorkflowId(change.eventId),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    parentClosePolicy: ParentClosePolicy.ABANDON,
    args: [change],
  });
}

/**
 * Undoes the operation because a host failed it, and fails the workflow with what an operator can do.
 * A superseded run has nothing to undo and just fails.
 */
export async function undoAndFail(operation: Operation, admitted: Admitted, error: unknown): Promise<never> {
  if (isSuperseded(error)) throw error;
  const reason = reasonOf(error);
  await CancellationScope.nonCancellable(() => inDatabase.undo(operation, admitted, reason));
  throw ApplicationFailure.nonRetryable(
    `${reason}; the operation was undone. Mend the host, then reset this workflow to carry it through`,
    'Undone',
    { actionId: admitted.actionId, address: admitted.address },
  );
}

/** The fence went to another action, or the action has ended: this run may write nothing. */
function isSuperseded(error: unknown): boolean {
  return (
    error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.type === SUPERSEDED
  );
}

function reasonOf(error: unknown): string {
  if (isCancellation(error)) return 'cancelled by an operator';
  if (!(error instanceof ActivityFailure)) return String(error);
  if (error.cause instanceof ApplicationFailure) return error.cause.message;
  const [change, host] = (error.activityId ?? '').split('/');
  return `host ${host} did not ${change} in time`;
}
