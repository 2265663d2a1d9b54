import type { Family } from '../../domain/address.ts';
import type { ReserveOperation } from '../../domain/operation.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import type { OperationRules } from './admit.ts';
import { billingChange } from './billing-change.ts';
import { insertAction, takingFence } from './fence.ts';
import { hostOf, issuingHostEvents } from './issue-host-event.ts';
import { refusalOfShare } from './pool-share.ts';
import { effectiveTime, type LockedDroplet, lockForReserve } from './records.ts';
import { type Decision, refusal } from './verdicts.ts';

/**
 * Gives a free address to the account, of the family that the operation's resource type is about. Nothing needs a host's
 * word for that, so reserving is settled here; with a droplet the same transaction also admits the assignment, which then
 * goes the way of every assign.
 */
export async function admitReserve(
  tx: DatabaseTransaction,
  operation: ReserveOperation,
  rules: OperationRules,
): Promise<Decision> {
  const { accountId, target } = operation;
  const { account, regionId, address, pool, droplet } = await lockForReserve(tx, operation, rules);
  if (target.dropletId !== null && (droplet?.account_id !== accountId || droplet.deleted_at !== null)) {
    return refusal(operation, 'droplet_not_found');
  }
  if (target.region !== null && regionId === null) return refusal(operation, 'region_not_found');
  if (droplet && regionId !== null && droplet.region_id !== regionId) return refusal(operation, 'region_mismatch');
  if (account.held >= account.limit) return refusal(operation, 'limit_reached');
  if (!address) return refusal(operation, 'pool_exhausted');
  const share = await refusalOfShare(
    tx,
    { regionId: address.region_id, family: address.family },
    { ...account, ...pool },
    rules.poolShare,
  );
  if (share) return refusal(operation, share);
  const obstacle = droplet && obstacleOn(droplet, address.family);
  if (obstacle) return refusal(operation, obstacle);

  const at = effectiveTime(address);
  const reserveId = await insertAction(tx, operation, address, {
    type: 'reserve_ip',
    status: 'completed',
    dropletId: null,
  });
  const generation = address.generation + 1;
  const holding = {
    state: 'reserved' as const,
    account_id: accountId,
    project_id: operation.projectId,
    reserved_at: at,
    changed_at: at,
  };
  const verdict: Admitted = {
    kind: 'admitted',
    operationId: operation.id,
    actionId: reserveId,
    startedAt: effectiveTime(address).toISOString(),
    address: address.address,
    region: address.region,
    generation,
    attachTo: null,
    detachFrom: [],
    settled: true,
    billing: [billingChange(address, { kind: 'reserved', accountId, actionId: reserveId, dropletId: null, at })],
  };
  if (!droplet) {
    const reserved = tx
      .updateTable('addresses')
      .set({ ...holding, last_action_id: reserveId, generation })
      .where('id', '=', address.id);
    return { verdict, writes: [reserved] };
  }
  const assignId = await insertAction(tx, operation, address, {
    type: 'assign_ip',
    status: 'in-progress',
    dropletId: droplet.id,
  });
  const event = {
    operationId: operation.id,
    host: hostOf(droplet),
    address,
    generation,
    change: 'attach' as const,
    droplet,
  };
  return {
    verdict: { ...verdict, actionId: assignId, attachTo: droplet.host, settled: false },
    writes: [
      takingFence(tx, address, assignId, { ...holding, target_droplet_id: droplet.id }),
      ...issuingHostEvents(tx, [event]),
    ],
  };
}

function obstacleOn(droplet: LockedDroplet, family: Family) {
  if (droplet.host_state === 'gone') return 'droplet_unreachable' as const;
  const occupied = droplet.occupants.of(family);
  if (occupied === 'pending') return 'droplet_pending' as const;
  return occupied === 'held' ? ('droplet_has_address' as const) : null;
}
