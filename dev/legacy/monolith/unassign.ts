import type { Caller, Monolith, ResourceName } from './context.ts';
import { nounOf } from './context.ts';
import { notFound, unprocessable } from './errors.ts';
import { type ActionRow, findAction, findAddress } from './rows.ts';
import { insertAction, insertHostCommand, lockRow } from './writes.ts';

/** Takes an address off its droplet. */
export async function unassign(
  monolith: Monolith,
  { accountId }: Caller,
  resourceName: ResourceName,
  request: { ip: Buffer },
): Promise<ActionRow> {
  const { db, services, emitter } = monolith;
  const noun = nounOf(resourceName);
  const address = await findAddress(db, accountId, request.ip);
  if (!address) throw notFound();
  if (address.pendingActionId !== null) throw unprocessable(`The ${noun} already has a pending event.`);
  if (address.dropletId === null) throw unprocessable(`The ${noun} is not assigned to a Droplet.`);
  const { dropletId } = address;
  const droplet = await services.droplet(accountId, dropletId);
  const placement = await services.placement(dropletId);
  if (!droplet || !placement) throw notFound();

  const actionId = await insertAction(db, {
    accountId,
    resourceName,
    type: 'unassign_ip',
    address,
    regionId: address.regionId,
    dropletId,
    done: false,
  });
  await lockRow(db, address, { actionId, targetDropletId: null });
  await insertHostCommand(db, { actionId, address, change: 'detach', placement, dropletId: null });
  await emitter.emit({
    kind: 'unassigned',
    actionId,
    accountId,
    address: address.ip,
    region: address.region.slug,
    dropletId: null,
  });
  const action = await findAction(db, address, actionId);
  if (!action) throw notFound();
  return action;
}
