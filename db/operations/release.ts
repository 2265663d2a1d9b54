import type { Updateable } from 'kysely';
import type { BillingChange } from '../../domain/billing.ts';
import type { ReleaseOperation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { AddressesTable } from '../schema.ts';
import { billingChange } from './billing-change.ts';
import { endOperation, insertAction, SupersededError, takingFence } from './fence.ts';
import { issuingHostEvents } from './issue-host-event.ts';
import { effectiveTime, isHeldFor, lockAddressAndHosts, lockAdmitted } from './records.ts';
import { type Decision, refusal } from './verdicts.ts';

/**
 * Takes the address from its owner, for good and at once; billing stops here. Every host that may still answer on it
 * is told to detach: the one it is on, and those that never acknowledged an earlier event about it. Hosts that are gone
 * are told for when they return, and not waited for.
 * An address that no host was ever told of for this owner goes back to where it was among the free ones, as if it had
 * not been taken; every other one is in cooldown first.
 * An assigned IPv6 address is refused, since v2 clients know that they must unassign it first.
 */
export async function admitRelease(
  tx: DatabaseTransaction,
  operation: ReleaseOperation,
  quarantineSeconds: number,
): Promise<Decision> {
  const { address, hosts, untouched } = await lockAddressAndHosts(tx, operation.address);
  if (!isHeldFor(operation, address)) return refusal(operation, 'address_not_found');
  if (address.pending_action_id !== null) return refusal(operation, 'address_pending');
  if (address.family === 6 && address.droplet_id !== null) return refusal(operation, 'still_assigned');

  const at = effectiveTime(address);
  const detachFrom = hosts.filter((host) => host.state === 'active').map((host) => host.name);
  const settled = detachFrom.length === 0;
  const actionId = await insertAction(tx, operation, address, {
    type: 'release_ip',
    status: settled ? 'completed' : 'in-progress',
    dropletId: null,
    previousDropletId: address.droplet_id,
  });
  const generation = address.generation + 1;
  const taken = { droplet_id: null, changed_at: at };
  const fence = takingFence(tx, address, actionId, { ...taken, state: 'releasing' });
  const { accountId } = operation;
  // A host that is gone is not waited for, but it was told once and may be back.
  const cooldown = untouched && hosts.length === 0 ? {} : coolingDown(at, accountId, quarantineSeconds);
  const release = tx
    .updateTable('addresses')
    .set({ ...taken, ...NOBODYS, ...cooldown, last_action_id: actionId, generation })
    .where('id', '=', address.id);
  const verdict: Admitted = {
    kind: 'admitted',
    operationId: operation.id,
    actionId,
    startedAt: effectiveTime(address).toISOString(),
    address: address.address,
    region: address.region,
    generation,
    attachTo: null,
    detachFrom,
    settled,
    billing: [billingChange(address, { kind: 'released', accountId, actionId, dropletId: null, at })],
  };
  const events = hosts.map((host) => ({
    operationId: operation.id,
    host,
    address,
    generation,
    change: 'detach' as const,
    droplet: null,
  }));
  return { verdict, writes: [settled ? release : fence, ...issuingHostEvents(tx, events)] };
}

/** No host answers on the address any more: it goes back to the pool, into cooldown. Repeating it changes nothing. */
export async function settleRelease(
  tx: DatabaseTransaction,
  admitted: Admitted,
  quarantineSeconds: number,
): Promise<BillingChange[]> {
  const { address, action } = await lockAdmitted(tx, admitted);
  if (address.pending_action_id === action.id) {
    const at = effectiveTime(address);
    const changes = { ...NOBODYS, ...coolingDown(at, address.account_id, quarantineSeconds), changed_at: at };
    await endOperation(tx, address, action.id, { status: 'completed', at }, changes);
    return [];
  }
  if (action.status === 'completed') return [];
  throw new SupersededError(action.id, address.last_action_id);
}

const NOBODYS = {
  state: 'free',
  account_id: null,
  project_id: null,
  reserved_at: null,
} as const satisfies Updateable<AddressesTable>;

function coolingDown(at: Date, accountId: number | null, quarantineSeconds: number): Updateable<AddressesTable> {
  return { available_at: new Date(at.getTime() + quarantineSeconds * 1_000), released_by: accountId };
}
