import type { AddressFacts, DropletFacts } from '../../db/operation-facts.ts';
import type { Family } from '../../domain/address.ts';
import type { Refusal } from '../../domain/verdict.ts';

/*
 * What the facts already refuse, in the order in which the operation's own transaction asks.
 */

/** Why the droplet cannot take another address. */
export function refusalOfDroplet(droplet: DropletFacts): Refusal | null {
  if (droplet.hostState === 'gone') return 'droplet_unreachable';
  if (droplet.occupation === 'pending') return 'droplet_pending';
  if (droplet.occupation === 'held') return 'droplet_has_address';
  return null;
}

/** Why the address cannot be assigned to the droplet. */
export function refusalOfAssign(address: AddressFacts, droplet: DropletFacts): Refusal | null {
  if (address.pending) return 'address_pending';
  if (address.dropletId === droplet.id) return 'already_assigned';
  if (address.regionId !== droplet.regionId) return 'region_mismatch';
  return refusalOfDroplet(droplet);
}

/** Why the address cannot be unassigned. */
export function refusalOfUnassign(address: AddressFacts): Refusal | null {
  if (address.pending) return 'address_pending';
  return address.dropletId === null ? 'not_assigned' : null;
}

/** Why the address cannot be given back. */
export function refusalOfRelease(address: AddressFacts, family: Family): Refusal | null {
  if (address.pending) return 'address_pending';
  return family === 6 && address.dropletId !== null ? 'still_assigned' : null;
}
