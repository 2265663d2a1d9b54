import type { Address, Family } from './address.ts';
import {
  type AssignOperation,
  familyOfResource,
  type Operation,
  type ReleaseOperation,
  type ReserveOperation,
  type UnassignOperation,
} from './operation.ts';
import { type AccountUse, type PoolShareOverrides, type PoolShareRules, poolShareRefusal } from './pool-share.ts';
import type { Refusal } from './verdict.ts';

/*
 * Every rule about what may be done with an address, written once. Pure: the transaction that admits an operation reads
 * the facts under its locks and asks these; null means that nothing stands in the way.
 */

/** An address as its rules see it. */
export interface AddressFacts {
  address: Address;
  family: Family;
  regionId: number;
  /** `releasing`: given back, but a host may still answer for it. */
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
  family: Family;
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

/** Whether an account may have another address. The limit holds for each family by itself. */
export interface AccountFacts {
  limit: number;
  held: number;
  /** Shares of pools that an operator gave it. */
  overrides: PoolShareOverrides;
}

/** What a reserve is decided by. */
export interface ReserveFacts {
  account: AccountFacts;
  /** Of the region that was named; null when none was, or there is none such. */
  regionId: number | null;
  /** A free address of the region. */
  address: AddressFacts | null;
  /** What the account has of the pool that the address is to come from; `free` is null when it was not counted. */
  pool: { use: AccountUse; size: number; free: number | null };
  droplet: DropletFacts | null;
}

/** Why an account cannot have an address reserved, in a region or for a droplet. */
export function refusalOfReserve(
  { accountId, target, resourceType }: ReserveOperation,
  { account, regionId, address, pool, droplet }: ReserveFacts,
  rules: PoolShareRules,
): Refusal | null {
  if (target.dropletId !== null && !isOwn(droplet, accountId)) return 'droplet_not_found';
  if (target.region !== null && regionId === null) return 'region_not_found';
  if (droplet && regionId !== null && droplet.regionId !== regionId) return 'region_mismatch';
  const refusal = droplet && refusalOfDroplet(droplet, familyOfResource(resourceType));
  if (refusal) return refusal;
  if (account.held >= account.limit) return 'limit_reached';
  if (!address) return 'pool_exhausted';
  return poolShareRefusal({ ...account, ...pool }, rules);
}

/** Why an address cannot be assigned to a droplet, or moved to it. */
export function refusalOfAssign(
  operation: AssignOperation,
  { address, droplet }: { address: AddressFacts | null; droplet: DropletFacts | null },
): Refusal | null {
  if (!isHeldFor(operation, address)) return 'address_not_found';
  if (!isOwn(droplet, operation.accountId)) return 'droplet_not_found';
  if (address.pendingActionId !== null) return 'address_pending';
  if (address.dropletId === droplet.id) return 'already_assigned';
  if (address.regionId !== droplet.regionId) return 'region_mismatch';
  return refusalOfDroplet(droplet, address.family);
}

/**
 * Why an address cannot be taken off its droplet. `destroyed` is the droplet that is destroyed with it, if one is: no
 * other operation may be open on what it holds.
 */
export function refusalOfUnassign(
  operation: UnassignOperation,
  { address, destroyed }: { address: AddressFacts | null; destroyed: DropletFacts | null },
): Refusal | null {
  if (!isHeldFor(operation, address)) return 'address_not_found';
  if (address.pendingActionId !== null) return 'address_pending';
  if (address.dropletId === null) return 'not_assigned';
  if (operation.destroysDropletId === null) return null;
  if (address.dropletId !== operation.destroysDropletId || !destroyed) return 'not_assigned';
  return othersOf(destroyed, address).some(({ state }) => state === 'pending') ? 'droplet_pending' : null;
}

/** Whether the droplet that is destroyed is gone with this address: nothing else stays on it. */
export function isLastOfDroplet(droplet: DropletFacts, address: AddressFacts): boolean {
  return othersOf(droplet, address).every(({ state }) => state === 'leaving');
}

/** Why an address cannot be given back. v2 clients know that they must unassign an IPv6 address first. */
export function refusalOfRelease(operation: ReleaseOperation, address: AddressFacts | null): Refusal | null {
  if (!isHeldFor(operation, address)) return 'address_not_found';
  if (address.pendingActionId !== null) return 'address_pending';
  return address.family === 6 && address.dropletId !== null ? 'still_assigned' : null;
}

/** Why a droplet cannot take an address of a family. */
function refusalOfDroplet({ hostState, occupants }: DropletFacts, family: Family): Refusal | null {
  if (hostState === 'gone') return 'droplet_unreachable';
  const own = occupants.filter((occupant) => occupant.family === family);
  if (own.some(({ state }) => state !== 'held')) return 'droplet_pending';
  return own.length > 0 ? 'droplet_has_address' : null;
}

/**
 * Whether an operation may change an address: its account holds it, and it is of the family that the operation is
 * about. A released one is nobody's, though it may still be detached.
 */
function isHeldFor(operation: Operation, address: AddressFacts | null): address is AddressFacts {
  return (
    address?.state === 'reserved' &&
    address.accountId === operation.accountId &&
    address.family === familyOfResource(operation.resourceType)
  );
}

function isOwn(droplet: DropletFacts | null, accountId: number): droplet is DropletFacts {
  return droplet?.accountId === accountId && !droplet.isDestroyed;
}

function othersOf({ occupants }: DropletFacts, { address }: AddressFacts): Occupant[] {
  return occupants.filter((occupant) => occupant.address !== address);
}
