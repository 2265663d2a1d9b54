import type { Caller, Monolith, ResourceName } from './context.ts';
import { nounOf } from './context.ts';
import { notFound, unprocessable } from './errors.ts';
import { type ActionRow, findAction, findAddress, occupationOf } from './rows.ts';
import { insertAction, insertHostCommand, lockRow } from './writes.ts';

/**
 * Sends an address to a droplet, or from one to another. Between the look at the address and the write, another
 * request may have sent it elsewhere; both are accepted then.
 */
export async function assign(
  monolith: Monolith,
  { accountId }: Caller,
  resourceName: ResourceName,
  request: { ip: Buffer; dropletId: number },
): Promise<ActionRow> {
  const { db, services, emitter } = monolith;
  const noun = nounOf(resourceName);
  const address = await findAddress(db, accountId, request.ip);
  if (!address) throw notFound();
  const droplet = await services.droplet(accountId, request.dropletId);
  if (!droplet) throw notFound();
  if (address.pendingActionId !== null) throw unprocessable(`The ${noun} already has a pending event.`);
  if (address.dropletId === droplet.id) throw unprocessable(`The ${noun} is already assigned to this Droplet.`);
  if (address.region.slug !== droplet.region.slug) {
    throw unprocessable(`The Droplet and the ${noun} must be in the same region.`);
  }
  const placement = await services.placement(droplet.id);
  if (!placement) throw notFound();
  if (placement.state === 'gone') throw unprocessable('The Droplet is on a host that is out of service.');
  const occupation = await occupationOf(db, droplet.id);
  if (occupation === 'pending') throw unprocessable('Droplet already has a pending event.');
  if (occupation === 'held') throw unprocessable(`The Droplet already has a ${noun} assigned to it.`);
  const previous = address.dropletId === null ? null : await services.placement(address.dropletId);

  const actionId = await insertAction(db, {
    accountId,
    resourceName,
    type: 'assign_ip',
    address,
    regionId: address.regionId,
    dropletId: droplet.id,
    done: false,
  });
  await lockRow(db, address, { actionId, targetDropletId: droplet.id });
  await insertHostCommand(db, { actionId, address, change: 'attach', placement, dropletId: droplet.id });
  if (previous && previous.host_id !== placement.host_id) {
    await insertHostCommand(db, { actionId, address, change: 'detach', placement: previous, dropletId: null });
  }
  await emitter.emit({
    kind: address.dropletId === null ? 'assigned' : 'reassigned',
    actionId,
    accountId,
    address: address.ip,
    region: address.region.slug,
    dropletId: droplet.id,
  });
  const action = await findAction(db, address, actionId);
  if (!action) throw notFound();
  return action;
}
