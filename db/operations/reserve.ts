import type { ReserveOperation } from '../../domain/operation.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { DatabaseTransaction } from '../database.ts';
import { billingChange } from './billing-change.ts';
import { insertAction, takeFence } from './fence.ts';
import { hostOf, issueHostEvents } from './issue-host-event.ts';
import {
  type DropletPlace,
  dropletOccupation,
  effectiveTime,
  findDroplet,
  lockDroplet,
  lockFreeAddress,
} from './records.ts';
import { refuse } from './verdicts.ts';

const FAMILY = 4;

/**
 * Gives a free address to the account. Nothing needs a host's word for that, so reserving is settled here; with a
 * droplet the same transaction also admits the assignment, which then goes the way of every assign.
 */
export async function admitReserve(tx: DatabaseTransaction, operation: ReserveOperation): Promise<Verdict> {
  const account = await lockAccount(tx, operation.accountId);
  const { dropletId } = operation.target;
  const wanted = dropletId === null ? null : await findDroplet(tx, dropletId);
  if (dropletId !== null && !ownedBy(operation.accountId, wanted)) return refuse(operation, 'droplet_not_found');

  const region = await findRegion(tx, operation.target.region, wanted);
  if (!region) return refuse(operation, 'region_not_found');
  if (wanted && wanted.region_id !== region.id) return refuse(operation, 'region_mismatch');
  if (account.held >= account.limit) return refuse(operation, 'limit_reached');

  const address = await lockFreeAddress(tx, region.id, FAMILY);
  if (!address) return refuse(operation, 'pool_exhausted');

  const droplet = dropletId === null ? null : await lockDroplet(tx, dropletId);
  if (droplet) {
    if (droplet.deleted_at !== null) return refuse(operation, 'droplet_not_found');
    if (droplet.host_state === 'gone') return refuse(operation, 'droplet_unreachable');
    const occupation = await dropletOccupation(tx, droplet.id, FAMILY);
    if (occupation === 'pending') return refuse(operation, 'droplet_pending');
    if (occupation === 'held') return refuse(operation, 'droplet_has_address');
  }

  const at = effectiveTime(address);
  const reserveActionId = await insertAction(tx, operation, address, {
    type: 'reserve_ip',
    status: 'completed',
    dropletId: null,
  });
  const assignActionId = droplet
    ? await insertAction(tx, operation, address, { type: 'assign_ip', status: 'in-progress', dropletId: droplet.id })
    : null;
  const generation = await takeFence(tx, address, assignActionId ?? reserveActionId, {
    state: 'reserved',
    account_id: operation.accountId,
    project_id: operation.projectId,
    target_droplet_id: droplet?.id ?? null,
    reserved_at: at,
    changed_at: at,
  });
  if (droplet) {
    const host = hostOf(droplet);
    await issueHostEvents(tx, [{ operationId: operation.id, host, address, generation, change: 'attach', droplet }]);
  } else {
    await tx.updateTable('addresses').set({ pending_action_id: null }).where('id', '=', address.id).execute();
  }
  return {
    kind: 'admitted',
    operationId: operation.id,
    actionId: assignActionId ?? reserveActionId,
    address: address.address,
    region: address.region,
    generation,
    attachTo: droplet?.host ?? null,
    detachFrom: [],
    settled: droplet === null,
    billing: [
      billingChange(address, {
        kind: 'reserved',
        accountId: operation.accountId,
        actionId: reserveActionId,
        dropletId: null,
        at,
      }),
    ],
  };
}

/** Locks the account, so that two reserves at once cannot both take its last place. */
async function lockAccount(tx: DatabaseTransaction, accountId: number): Promise<{ limit: number; held: number }> {
  const account = await tx
    .selectFrom('accounts')
    .select('reserved_ip_limit')
    .where('id', '=', accountId)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { held } = await tx
    .selectFrom('addresses')
    .select((select) => select.fn.countAll<number>().as('held'))
    .where('account_id', '=', accountId)
    .where('state', '=', 'reserved')
    .where('family', '=', FAMILY)
    .executeTakeFirstOrThrow();
  return { limit: account.reserved_ip_limit, held: Number(held) };
}

async function findRegion(
  tx: DatabaseTransaction,
  slug: string | null,
  droplet: DropletPlace | null,
): Promise<{ id: number } | null> {
  if (slug === null) return droplet ? { id: droplet.region_id } : null;
  return (await tx.selectFrom('regions').select('id').where('slug', '=', slug).executeTakeFirst()) ?? null;
}

function ownedBy(accountId: number, droplet: DropletPlace | null): boolean {
  return droplet !== null && droplet.account_id === accountId && droplet.deleted_at === null;
}
