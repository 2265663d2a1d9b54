import type { Caller, Monolith, ResourceName } from './context.ts';
import { nounOf } from './context.ts';
import { notFound, unprocessable } from './errors.ts';
import { findAddress } from './rows.ts';
import { freeRow, insertAction, insertHostCommand } from './writes.ts';

/** Gives an address back. It is in the pool again at once, also while its host still answers for it. */
export async function release(
  monolith: Monolith,
  { accountId }: Caller,
  resourceName: ResourceName,
  request: { ip: Buffer },
): Promise<void> {
  const { db, services, emitter } = monolith;
  const address = await findAddress(db, accountId, request.ip);
  if (!address) throw notFound();
  if (address.pendingActionId !== null) throw unprocessable(`The ${nounOf(resourceName)} already has a pending event.`);
  const { dropletId } = address;
  const droplet = dropletId === null ? null : await services.droplet(accountId, dropletId);
  const placement = droplet && (await services.placement(droplet.id));

  const actionId = await insertAction(db, {
    accountId,
    resourceName,
    type: 'release_ip',
    address,
    regionId: address.regionId,
    dropletId: null,
    done: true,
  });
  await freeRow(db, address, actionId);
  if (placement) await insertHostCommand(db, { actionId, address, change: 'detach', placement, dropletId: null });
  await emitter.emit({
    kind: 'released',
    actionId,
    accountId,
    address: address.ip,
    region: address.region.slug,
    dropletId: null,
  });
}
