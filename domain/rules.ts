import type { Address, IpVersion } from './address.ts';
import type { RejectionReason } from './decision.ts';
import { ipVersionOfResource, type ResourceType } from './operation-fields.ts';

/*
 * What the rules of the operations have in common. The rule of each kind is in its module in operations/. All are pure:
 * the transaction that admits an operation reads the facts under its locks and asks them; null means that nothing stands
 * in the way.
 */

/** An address as its rules see it. */
export interface AddressFacts {
  address: Address;
  ipVersion: IpVersion;
  regionId: number;
  /** `releasing`: given back, but a host may still announce it. */
  state: 'free' | 'reserved' | 'releasing';
  accountId: number | null;
  /** The droplet that it is on. */
  dropletId: number | null;
  /** The action that holds its fence; null when no operation is open. */
  pendingActionId: number | null;
}

/** An address that is on a droplet, or on its way to it. */
export interface Occupant {
  address: Address;
  ipVersion: IpVersion;
  /**
   * `held`: no operation is open on it. `leaving`: an operation takes it off because the droplet is destroyed, which
   * nothing undoes. `pending`: any other operation is open on it.
   */
  state: 'held' | 'leaving' | 'pending';
}

/** A droplet as the rules see it. */
export interface DropletFacts {
  id: number;
  accountId: number;
  regionId: number;
  hostState: 'active' | 'gone';
  isDestroyed: boolean;
  occupants: Occupant[];
}

/** Why a droplet cannot take an address of a family. */
export function rejectionOfDroplet(
  { hostState, occupants }: DropletFacts,
  ipVersion: IpVersion,
): RejectionReason | null {
  if (hostState === 'gone') return 'droplet_unreachable';
  const own = occupants.filter((occupant) => occupant.ipVersion === ipVersion);
  if (own.some(({ state }) => state !== 'held')) return 'droplet_pending';
  return own.length > 0 ? 'droplet_has_address' : null;
}

/**
 * Whether an operation may change an address: its account holds it, and it is of the family that the operation is
 * about. A released one is nobody's, though it may still be detached.
 */
export function isHeldFor(
  operation: { accountId: number; resourceType: ResourceType },
  address: AddressFacts | null,
): address is AddressFacts {
  return (
    address?.state === 'reserved' &&
    address.accountId === operation.accountId &&
    address.ipVersion === ipVersionOfResource(operation.resourceType)
  );
}

/** Whether a droplet is there for an account. */
export function isOwn(droplet: DropletFacts | null, accountId: number): droplet is DropletFacts {
  return droplet?.accountId === accountId && !droplet.isDestroyed;
}

/** What else is on a droplet, or on its way to it. */
export function othersOf({ occupants }: DropletFacts, { address }: AddressFacts): Occupant[] {
  return occupants.filter((occupant) => occupant.address !== address);
}
