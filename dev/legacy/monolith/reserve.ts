import { addressFromBytes } from '../../../domain/address.ts';
import type { Caller, Monolith, ResourceName } from './context.ts';
import { nounOf } from './context.ts';
import { notFound, unprocessable } from './errors.ts';
import type { CreateRequest } from './request.ts';
import { type AddressRow, countAddresses, findFreeAddress, findRegion, occupationOf } from './rows.ts';
import { insertAction, insertHostCommand, reserveRow } from './writes.ts';

/** An address as it was reserved; with a droplet, the action that takes it there. */
export interface Reserved {
  address: AddressRow;
  assignActionId: number | null;
}

/**
 * Reserves an address in a region, or for a droplet. Between the look at the limit, or at the free address, and the
 * write, another request may have done the same.
 */
export async function reserve(
  monolith: Monolith,
  { accountId }: Caller,
  resourceName: ResourceName,
  request: CreateRequest,
): Promise<Reserved> {
  const { db, services, emitter } = monolith;
  const noun = nounOf(resourceName);
  const droplet = request.dropletId === null ? null : await services.droplet(accountId, request.dropletId);
  if (request.dropletId !== null && !droplet) throw notFound();
  const region = await findRegion(db, request.region ?? droplet?.region.slug ?? '');
  if (!region) throw unprocessable('The region is invalid or not available.');
  if (droplet && droplet.region.slug !== region.slug) {
    throw unprocessable(`The Droplet and the ${noun} must be in the same region.`);
  }
  const placement = droplet && (await services.placement(droplet.id));
  if (placement?.state === 'gone') throw unprocessable('The Droplet is on a host that is out of service.');
  const occupation = droplet ? await occupationOf(db, droplet.id) : 'free';
  if (occupation === 'pending') throw unprocessable('Droplet already has a pending event.');
  if (occupation === 'held') throw unprocessable(`The Droplet already has a ${noun} assigned to it.`);
  const account = await services.account(accountId);
  if ((await countAddresses(db, accountId)) >= (account?.reserved_ip_limit ?? 0)) {
    throw unprocessable(`You have reached the limit of ${noun}s of your account.`);
  }
  const free = await findFreeAddress(db, region.id);
  if (!free) throw unprocessable(`There is no ${noun} available in this region.`);

  const action = { accountId, resourceName, address: free, regionId: region.id };
  const reserveId = await insertAction(db, { ...action, type: 'reserve_ip', dropletId: null, done: true });
  const assignActionId = droplet
    ? await insertAction(db, { ...action, type: 'assign_ip', dropletId: droplet.id, done: false })
    : null;
  await reserveRow(db, free, {
    accountId,
    projectId: request.projectId,
    actionId: assignActionId ?? reserveId,
    targetDropletId: droplet?.id ?? null,
  });
  const ip = addressFromBytes(free.bytes);
  const emission = { accountId, address: ip, region: region.slug };
  if (droplet && placement && assignActionId !== null) {
    const event = { actionId: assignActionId, address: free, placement, dropletId: droplet.id };
    await insertHostCommand(db, { ...event, change: 'attach' });
  }
  await emitter.emit({ ...emission, kind: 'reserved', actionId: reserveId, dropletId: null });
  if (droplet && assignActionId !== null) {
    await emitter.emit({ ...emission, kind: 'assigned', actionId: assignActionId, dropletId: droplet.id });
  }
  // As it was written: nobody looks whether it is still so.
  const address = {
    ...free,
    ip,
    accountId,
    projectId: request.projectId ?? account?.uuid ?? '',
    region: { slug: region.slug, name: region.name },
    regionId: region.id,
    dropletId: null,
    pendingActionId: assignActionId,
  };
  return { address, assignActionId };
}
