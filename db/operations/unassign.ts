import type { BillingChange } from '../../domain/billing.ts';
import type { UnassignOperation } from '../../domain/operation.ts';
import type { Admitted, Verdict } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import { billingChange } from './billing-change.ts';
import {
  type ActionRecord,
  endAction,
  findAction,
  insertAction,
  lockAdmittedAddress,
  releaseFence,
  SupersededError,
  takeFence,
} from './fence.ts';
import { hostOf, issueHostEvents, type NewHostEvent } from './issue-host-event.ts';
import {
  type DropletPlace,
  effectiveTime,
  findDroplet,
  type LockedAddress,
  lockAddress,
  lockDroplet,
} from './records.ts';
import { reopenAction } from './reopen-action.ts';
import { refuse } from './verdicts.ts';

/** Checks all that can refuse an unassign, takes the fence and tells the host; may destroy the droplet with it. */
export async function admitUnassign(tx: DatabaseTransaction, operation: UnassignOperation): Promise<Verdict> {
  const address = await lockAddress(tx, operation.address);
  if (address?.state !== 'reserved' || address.account_id !== operation.accountId) {
    return refuse(operation, 'address_not_found');
  }
  if (address.pending_action_id !== null) return refuse(operation, 'address_pending');
  const destroyed = operation.destroysDropletId;
  if (address.droplet_id === null || (destroyed !== null && destroyed !== address.droplet_id)) {
    return refuse(operation, 'not_assigned');
  }
  const droplet =
    destroyed === null ? await findDroplet(tx, address.droplet_id) : await lockDroplet(tx, address.droplet_id);
  if (!droplet) return refuse(operation, 'not_assigned');

  const actionId = await insertAction(tx, operation, address, {
    type: 'unassign_ip',
    status: 'in-progress',
    dropletId: droplet.id,
    previousDropletId: droplet.id,
  });
  const generation = await takeFence(tx, address, actionId);
  if (destroyed !== null) {
    await tx.updateTable('droplets').set({ deleted_at: address.now }).where('id', '=', droplet.id).execute();
  }
  const events = placeEvents(operation, address, generation, droplet, 'detach');
  await issueHostEvents(tx, events);
  return {
    kind: 'admitted',
    operationId: operation.id,
    actionId,
    address: address.address,
    region: address.region,
    generation,
    attachTo: null,
    detachFrom: events.map((event) => event.host.name),
    settled: false,
    billing: [],
  };
}

/** The address is on no droplet any more. Repeating it changes nothing. */
export async function settleUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
): Promise<BillingChange[]> {
  const address = await lockAdmittedAddress(tx, admitted.address);
  const action = await findAction(tx, admitted.actionId);
  if (address.pending_action_id === action.id) {
    const at = effectiveTime(address);
    await releaseFence(tx, address, action.id, { droplet_id: null, changed_at: at });
    await endAction(tx, action.id, { status: 'completed', at });
    return [unassignedChange(address, operation.accountId, action, at)];
  }
  if (action.status === 'completed' && action.completed_at) {
    return [unassignedChange(address, operation.accountId, action, action.completed_at)];
  }
  throw new SupersededError(action.id, address.last_action_id);
}

/** The address stays where it is: the host that did not confirm the detach is told to attach under a new generation. */
export async function undoUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
  reason: string,
): Promise<void> {
  const address = await lockAdmittedAddress(tx, admitted.address);
  const action = await findAction(tx, admitted.actionId);
  if (address.pending_action_id !== action.id) {
    if (action.status === 'errored') return;
    throw new SupersededError(action.id, address.last_action_id);
  }
  const generation = address.generation + 1;
  await releaseFence(tx, address, action.id, { generation });
  await endAction(tx, action.id, { status: 'errored', at: effectiveTime(address), reason });
  const droplet = address.droplet_id === null ? null : await findDroplet(tx, address.droplet_id);
  await issueHostEvents(tx, placeEvents(operation, address, generation, droplet, 'attach'));
}

/** Takes up an undone unassign again, for a run that was reset; see {@link reopenAction} for when that is refused. */
export async function reopenUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
): Promise<void> {
  const address = await lockAdmittedAddress(tx, admitted.address);
  const action = await findAction(tx, admitted.actionId);
  if (action.status === 'in-progress') return;
  const generation = await reopenAction(tx, address, action, {});
  const droplet = address.droplet_id === null ? null : await findDroplet(tx, address.droplet_id);
  await issueHostEvents(tx, placeEvents(operation, address, generation, droplet, 'detach'));
}

function placeEvents(
  operation: UnassignOperation,
  address: LockedAddress,
  generation: number,
  droplet: DropletPlace | null,
  change: 'attach' | 'detach',
): NewHostEvent[] {
  if (!droplet || droplet.host_state === 'gone') return [];
  const host = hostOf(droplet);
  return [
    { operationId: operation.id, host, address, generation, change, droplet: change === 'attach' ? droplet : null },
  ];
}

function unassignedChange(address: LockedAddress, accountId: number, action: ActionRecord, at: Date): BillingChange {
  return billingChange(address, { kind: 'unassigned', accountId, actionId: action.id, dropletId: null, at });
}
