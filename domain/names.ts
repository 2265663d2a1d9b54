import type { Address } from './address.ts';
import type { HostChange } from './host-protocol.ts';
import type { OperationId } from './identifiers.ts';

/*
 * Every name that two parts of the system must agree on. Pure, so that workflows may import it.
 */

/** The task queue that carries all workflows and activities of the control plane. */
export const TASK_QUEUE = 'reserved-ip';

/** Name under which Temporal keeps the builds of the workers. */
export const DEPLOYMENT_NAME = 'reserved-ip';

/** What the ids of the workflows begin with by which workers warm up. */
export const WARM_UP_ID_PREFIX = 'warm-up/';

/** Id of the schedule of the reconciler, and the beginning of the ids of its workflows. */
export const RECONCILER_SCHEDULE_ID = 'audit';

/** Kafka topic of billing events. */
export const BILLING_TOPIC = 'billing.reserved-ip.v1';

/** `type` attribute of a billing CloudEvent, without the change. */
export const BILLING_EVENT_TYPE_PREFIX = 'reserved-ip.billing.v1.';

/** `source` attribute of a billing CloudEvent. */
export const BILLING_EVENT_SOURCE = '/reserved-ip/control-plane';

/**
 * Workflow id of assign, unassign and release. The id is the per-address serialization: the server rejects a second
 * start while one is open.
 */
export function addressWorkflowId(address: Address): string {
  return `reserved-ip/${address}`;
}

/** Workflow id of reserve, which has no address yet. */
export function reserveWorkflowId(operationId: OperationId): string {
  return `reserve/${operationId}`;
}

/** Workflow id of the child that publishes one billing event for as long as it takes. */
export function billingWorkflowId(eventId: string): string {
  return `billing/${eventId}`;
}

/** What the ids of billing events begin with. */
export const BILLING_EVENT_ID_PREFIX = 'action-';

/** Id of a settled change's billing event. One action settles one change, so the action number decides it. */
export function billingEventId(actionId: number): string {
  return `${BILLING_EVENT_ID_PREFIX}${actionId}`;
}

/** A host command, and the workflow that waits for its acknowledgment. */
export interface AwaitedCommand {
  workflowId: string;
  operationId: OperationId;
  host: string;
  change: HostChange;
  address: Address;
}

/**
 * Id of the activity that waits for one host's acknowledgment; the acknowledgment completes the activity by it. The
 * address is in it only where the workflow's id does not name it, as it was before an operation could
 * change several.
 */
export function acknowledgmentActivityId({ workflowId, operationId, host, change, address }: AwaitedCommand): string {
  const id = `${change}/${host}/${operationId}`;
  const isOwn = workflowId === addressWorkflowId(address) || workflowId === reserveWorkflowId(operationId);
  return isOwn ? id : `${id}/${address}`;
}

/** Failure type of a run that may write nothing, because another action has had the fence of the address since. */
export const SUPERSEDED = 'Superseded';

/** The same, because the action of the operation has ended already. */
export const ACTION_ENDED = 'ActionEnded';

/** The same, because the droplet of the operation is gone, or has another address. */
export const DROPLET_UNAVAILABLE = 'DropletUnavailable';

/** The same, because the operation is of a kind that cannot be undone. */
export const NOT_REVERSIBLE = 'NotReversible';

/** The same, because the fence was taken off while the action is in progress. */
export const FENCE_MISSING = 'FenceMissing';

/** Failure types of steps that have changed nothing and never will, so that their run ends. */
export const FINAL_FAILURES: readonly string[] = [
  SUPERSEDED,
  ACTION_ENDED,
  DROPLET_UNAVAILABLE,
  NOT_REVERSIBLE,
  FENCE_MISSING,
];

/** Failure type of a step that MySQL did not answer; the first of its details is what the driver said. */
export const DATABASE_UNAVAILABLE = 'DatabaseUnavailable';

/** Failure type of a billing event that Kafka did not take. */
export const BILLING_UNAVAILABLE = 'BillingUnavailable';

/** Failure type of a host that was declared gone, so that it cannot attach an address. */
export const HOST_GONE = 'HostGone';

/** Failure type of a host that reported that it could not carry out its command. */
export const HOST_FAILED = 'HostFailed';
