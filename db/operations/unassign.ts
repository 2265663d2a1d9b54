import type { BillingChange } from '../../domain/billing.ts';
import type { UnassignOperation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import { listOccupants } from '../droplet-occupants.ts';
import { billingChange } from './billing-change.ts';
import { endOperation, insertAction, SupersededError, takingFence } from './fence.ts';
import { hostOf, issuingHostEvents, type NewHostEvent } from './issue-host-event.ts';
import {
  type ActionRecord,
  type DropletPlace,
  effectiveTime,
  findDroplet,
  isHeldFor,
  type LockedAddress,
  lockAddress,
  lockAdmitted,
  lockDroplet,
} from './records.ts';
import { reopenAction } from './reopen-action.ts';
import { type Decision, refusal } from './verdicts.ts';

/**
 * Checks all that can refuse an unassign, takes the fence and tells the host. One that is there because the droplet is
 * destroyed destroys it when nothing else stays on it; otherwise the droplet is left for the operation on the rest.
 */
export async function admitUnassign(tx: DatabaseTransaction, operation: UnassignOperation): Promise<Decision> {
  const address = await lockAddress(tx, operation.address);
  if (!isHeldFor(operation, address)) return refusal(operation, 'address_not_found');
  if (address.pending_action_id !== null) return refusal(operation, 'address_pending');
  const destroyed = operation.destroysDropletId;
  if (address.droplet_id === null || (destroyed !== null && destroyed !== address.droplet_id)) {
    return refusal(operation, 'not_assigned');
  }
  const droplet = await (destroyed === null ? findDroplet : lockDroplet)(tx, address.droplet_id);
  if (!droplet) return refusal(operation, 'not_assigned');
  const occupants = destroyed === null ? [] : await listOccupants(tx, droplet.id);
  const others = occupants.filter((occupant) => occupant.address !== address.address);
  if (others.some(({ standing }) => standing === 'pending')) return refusal(operation, 'droplet_pending');
  const isLast = others.every(({ standing }) => standing === 'leaving');

  const actionId = await insertAction(tx, operation, address, {
    type: 'unassign_ip',
    status: 'in-progress',
    dropletId: droplet.id,
    previousDropletId: droplet.id,
  });
  const generation = address.generation + 1;
  const events = placeEvents(operation, address, generation, droplet, 'detach');
  const destruction = tx.updateTable('droplets').set({ deleted_at: address.now }).where('id', '=', droplet.id);
  const verdict: Admitted = {
    kind: 'admitted',
    operationId: operation.id,
    actionId,
    startedAt: effectiveTime(address).toISOString(),
    address: address.address,
    region: address.region,
    generation,
    attachTo: null,
    detachFrom: droplet.host_state === 'active' ? [droplet.host] : [],
    settled: false,
    billing: [],
  };
  return {
    verdict,
    writes: [
      takingFence(tx, address, actionId),
      ...(destroyed !== null && isLast ? [destruction] : []),
      ...issuingHostEvents(tx, events),
    ],
  };
}

/** The address is on no droplet any more. Repeating it changes nothing. */
export async function settleUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
): Promise<BillingChange[]> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (address.pending_action_id === action.id) {
    const at = effectiveTime(address);
    await endOperation(tx, address, action.id, { status: 'completed', at }, { droplet_id: null, changed_at: at });
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
  const { address, action } = await lockAdmitted(tx, admitted);
  if (address.pending_action_id !== action.id) {
    if (action.status === 'errored') return;
    throw new SupersededError(action.id, address.last_action_id);
  }
  const generation = address.generation + 1;
  const droplet = await findDroplet(tx, address.droplet_id);
  await endOperation(
    tx,
    address,
    action.id,
    { status: 'errored', at: effectiveTime(address), reason },
    { generation },
    issuingHostEvents(tx, placeEvents(operation, address, generation, droplet, 'attach')),
  );
}

/** Takes up an undone unassign again, for a run that was reset; see {@link reopenAction} for when that is refused. */
export async function reopenUnassign(
  tx: DatabaseTransaction,
  operation: UnassignOperation,
  admitted: Admitted,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (action.status === 'in-progress') return;
  const droplet = await findDroplet(tx, address.droplet_id);
  const events = placeEvents(operation, address, address.generation + 1, droplet, 'detach');
  await reopenAction(tx, address, action, {}, issuingHostEvents(tx, events));
}

function placeEvents(
  operation: UnassignOperation,
  address: LockedAddress,
  generation: number,
  droplet: DropletPlace | null,
  change: 'attach' | 'detach',
): NewHostEvent[] {
  if (!droplet) return [];
  const host = hostOf(droplet);
  return [
    { operationId: operation.id, host, address, generation, change, droplet: change === 'attach' ? droplet : null },
  ];
}

function unassignedChange(address: LockedAddress, accountId: number, action: ActionRecord, at: Date): BillingChange {
  return billingChange(address, { kind: 'unassigned', accountId, actionId: action.id, dropletId: null, at });
}
