import type { BillingChange } from '../../domain/billing.ts';
import type { AssignOperation, ReserveOperation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
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
  lockAddressAndDroplet,
  lockAdmitted,
  lockDroplet,
} from './records.ts';
import { reopenAction } from './reopen-action.ts';
import { type Decision, refusal } from './verdicts.ts';

/** Checks all that can refuse an assign, takes the fence and tells the hosts; a reassign is the same. */
export async function admitAssign(tx: DatabaseTransaction, operation: AssignOperation): Promise<Decision> {
  const { address, droplet } = await lockAddressAndDroplet(tx, operation.address, operation.dropletId);
  if (!isHeldFor(operation, address)) return refusal(operation, 'address_not_found');
  if (address.pending_action_id !== null) return refusal(operation, 'address_pending');
  if (!droplet || droplet.account_id !== operation.accountId || droplet.deleted_at !== null) {
    return refusal(operation, 'droplet_not_found');
  }
  if (address.droplet_id === droplet.id) return refusal(operation, 'already_assigned');
  if (address.region_id !== droplet.region_id) return refusal(operation, 'region_mismatch');
  if (droplet.host_state === 'gone') return refusal(operation, 'droplet_unreachable');
  const occupied = droplet.occupants.of(address.family);
  if (occupied === 'pending') return refusal(operation, 'droplet_pending');
  if (occupied === 'held') return refusal(operation, 'droplet_has_address');

  const previous = await findDroplet(tx, address.droplet_id);
  const actionId = await insertAction(tx, operation, address, {
    type: 'assign_ip',
    status: 'in-progress',
    dropletId: droplet.id,
    previousDropletId: previous?.id ?? null,
  });
  const generation = address.generation + 1;
  const events = moveEvents(operation.id, address, generation, { from: previous, to: droplet });
  const verdict: Admitted = {
    kind: 'admitted',
    operationId: operation.id,
    actionId,
    startedAt: effectiveTime(address).toISOString(),
    address: address.address,
    region: address.region,
    generation,
    attachTo: droplet.host,
    detachFrom: previous?.host_state === 'active' && previous.host_id !== droplet.host_id ? [previous.host] : [],
    settled: false,
    billing: [],
  };
  const fence = takingFence(tx, address, actionId, { target_droplet_id: droplet.id });
  return { verdict, writes: [fence, ...issuingHostEvents(tx, events)] };
}

/** The address is the droplet's. Also ends the assignment that came with a reserve. Repeating it changes nothing. */
export async function settleAssign(
  tx: DatabaseTransaction,
  operation: AssignOperation | ReserveOperation,
  admitted: Admitted,
): Promise<BillingChange[]> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (address.pending_action_id === action.id) {
    const at = effectiveTime(address);
    await endOperation(
      tx,
      address,
      action.id,
      { status: 'completed', at },
      { droplet_id: action.droplet_id, target_droplet_id: null, changed_at: at },
    );
    return [assignedChange(address, operation.accountId, action, at)];
  }
  if (action.status === 'completed' && action.completed_at) {
    return [assignedChange(address, operation.accountId, action, action.completed_at)];
  }
  throw new SupersededError(action.id, address.last_action_id);
}

/** Puts the address back where it was, under a new generation, and has the half-attached host detach. */
export async function undoAssign(
  tx: DatabaseTransaction,
  operation: AssignOperation | ReserveOperation,
  admitted: Admitted,
  reason: string,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (address.pending_action_id !== action.id) {
    if (action.status === 'errored') return;
    throw new SupersededError(action.id, address.last_action_id);
  }
  const generation = address.generation + 1;
  const target = await findDroplet(tx, action.droplet_id);
  const previous = await findDroplet(tx, address.droplet_id);
  await endOperation(
    tx,
    address,
    action.id,
    { status: 'errored', at: effectiveTime(address), reason },
    { target_droplet_id: null, generation },
    issuingHostEvents(tx, moveEvents(operation.id, address, generation, { from: target, to: previous })),
  );
}

/** Takes up an undone assign again, for a run that was reset; see {@link reopenAction} for when that is refused. */
export async function reopenAssign(
  tx: DatabaseTransaction,
  operation: AssignOperation | ReserveOperation,
  admitted: Admitted,
): Promise<void> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (action.status === 'in-progress') return;
  const droplet = action.droplet_id === null ? null : await lockDroplet(tx, action.droplet_id);
  const free = droplet?.deleted_at === null && droplet.occupants.of(address.family) === 'free';
  if (!droplet || !free) throw new SupersededError(action.id, null);
  const previous = await findDroplet(tx, address.droplet_id);
  const events = moveEvents(operation.id, address, address.generation + 1, { from: previous, to: droplet });
  await reopenAction(tx, address, action, { target_droplet_id: droplet.id }, issuingHostEvents(tx, events));
}

/**
 * The events that move an address. On one and the same host the attach replaces what was there before. A host that is
 * gone is told too, for when it returns, but nobody waits for it.
 */
function moveEvents(
  operationId: string,
  address: LockedAddress,
  generation: number,
  move: { from: DropletPlace | null; to: DropletPlace | null },
): NewHostEvent[] {
  const { from, to } = move;
  const events: NewHostEvent[] = [];
  if (to) {
    events.push({ operationId, host: hostOf(to), address, generation, change: 'attach', droplet: to });
  }
  if (from && from.host_id !== to?.host_id) {
    events.push({ operationId, host: hostOf(from), address, generation, change: 'detach', droplet: null });
  }
  return events;
}

function assignedChange(address: LockedAddress, accountId: number, action: ActionRecord, at: Date): BillingChange {
  return billingChange(address, {
    kind: action.previous_droplet_id === null ? 'assigned' : 'reassigned',
    accountId,
    actionId: action.id,
    dropletId: action.droplet_id,
    at,
  });
}
