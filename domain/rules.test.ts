import { describe, expect, test } from 'vitest';
import type { AssignOperation, ReleaseOperation, ReserveOperation, UnassignOperation } from './operation.ts';
import { rejectionOfAssign } from './operations/assign.ts';
import { rejectionOfRelease } from './operations/release.ts';
import { type ReserveFacts, rejectionOfReserve } from './operations/reserve.ts';
import { isLastOfDroplet, rejectionOfUnassign } from './operations/unassign.ts';
import type { PoolShareRules } from './pool-share.ts';
import type { AddressFacts, DropletFacts, Occupant } from './rules.ts';

const OWN = 7;
const common = { id: '0198b1a2-0000-7000-8000-000000000000', accountId: OWN, resourceType: 'reserved_ip' } as const;
const assign: AssignOperation = { ...common, kind: 'assign', address: '203.0.113.7', dropletId: 11 };
const unassign: UnassignOperation = {
  ...common,
  kind: 'unassign',
  address: '203.0.113.7',
  destroysDropletId: null,
};
const release: ReleaseOperation = { ...common, kind: 'release', address: '203.0.113.7' };

function address(changes: Partial<AddressFacts> = {}): AddressFacts {
  return {
    address: '203.0.113.7',
    ipVersion: 4,
    regionId: 1,
    state: 'reserved',
    accountId: OWN,
    dropletId: null,
    pendingActionId: null,
    ...changes,
  };
}

function droplet(changes: Partial<DropletFacts> = {}): DropletFacts {
  return { id: 11, accountId: OWN, regionId: 1, hostState: 'active', isDestroyed: false, occupants: [], ...changes };
}

function occupant(state: Occupant['state'], text = '203.0.113.8', ipVersion: Occupant['ipVersion'] = 4): Occupant {
  return { address: text, ipVersion, state };
}

describe('an assign', () => {
  test.each<[string, { address?: AddressFacts | null; droplet?: DropletFacts | null }, string | null]>([
    ['of a free address to a free droplet', {}, null],
    ['that moves an address', { address: address({ dropletId: 12 }) }, null],
    ['of what no pool has', { address: null }, 'address_not_found'],
    ['of another account’s address', { address: address({ accountId: 8 }) }, 'address_not_found'],
    ['of an address that was given back', { address: address({ state: 'releasing' }) }, 'address_not_found'],
    ['of an address of the other family', { address: address({ ipVersion: 6 }) }, 'address_not_found'],
    ['of an address with an open operation', { address: address({ pendingActionId: 5 }) }, 'address_pending'],
    ['to no droplet', { droplet: null }, 'droplet_not_found'],
    ['to another account’s droplet', { droplet: droplet({ accountId: 8 }) }, 'droplet_not_found'],
    ['to a destroyed droplet', { droplet: droplet({ isDestroyed: true }) }, 'droplet_not_found'],
    ['to the droplet that it is on', { address: address({ dropletId: 11 }) }, 'already_assigned'],
    ['to another region', { droplet: droplet({ regionId: 2 }) }, 'region_mismatch'],
    ['to a host that is gone', { droplet: droplet({ hostState: 'gone' }) }, 'droplet_unreachable'],
    ['to a droplet with an address', { droplet: droplet({ occupants: [occupant('held')] }) }, 'droplet_has_address'],
    [
      'to a droplet with an address of the other family',
      { droplet: droplet({ occupants: [occupant('held', '2001:db8::1', 6)] }) },
      null,
    ],
    [
      'to a droplet that is being given one',
      { droplet: droplet({ occupants: [occupant('pending')] }) },
      'droplet_pending',
    ],
    ['to a droplet that one is leaving', { droplet: droplet({ occupants: [occupant('leaving')] }) }, 'droplet_pending'],
  ])('%s', (_, facts, expected) => {
    expect(rejectionOfAssign(assign, { address: address(), droplet: droplet(), ...facts })).toBe(expected);
  });
});

describe('an unassign', () => {
  const on = address({ dropletId: 11 });

  test.each<[string, AddressFacts | null, string | null]>([
    ['of an address on a droplet', on, null],
    ['of what no pool has', null, 'address_not_found'],
    ['of an address with an open operation', { ...on, pendingActionId: 5 }, 'address_pending'],
    ['of an address on no droplet', address(), 'not_assigned'],
  ])('%s', (_, facts, expected) => {
    expect(rejectionOfUnassign(unassign, { address: facts, destroyed: null })).toBe(expected);
  });

  test.each<[string, DropletFacts | null, AddressFacts, string | null]>([
    ['with the last address on it', droplet({ occupants: [occupant('held', on.address)] }), on, null],
    ['that is gone', null, on, 'not_assigned'],
    ['that the address is not on any more', droplet(), address({ dropletId: 12 }), 'not_assigned'],
    ['on which another operation is open', droplet({ occupants: [occupant('pending')] }), on, 'droplet_pending'],
    ['that another address is leaving for good', droplet({ occupants: [occupant('leaving')] }), on, null],
  ])('that destroys a droplet %s', (_, destroyed, facts, expected) => {
    const operation = { ...unassign, destroysDropletId: 11 };
    expect(rejectionOfUnassign(operation, { address: facts, destroyed })).toBe(expected);
  });

  test('is the last of a droplet when whatever else is on it is leaving', () => {
    const own = occupant('held', on.address);
    expect(isLastOfDroplet(droplet({ occupants: [own] }), on)).toBe(true);
    expect(isLastOfDroplet(droplet({ occupants: [own, occupant('leaving')] }), on)).toBe(true);
    expect(isLastOfDroplet(droplet({ occupants: [own, occupant('held')] }), on)).toBe(false);
  });
});

describe('a release', () => {
  test.each<[string, AddressFacts | null, string | null]>([
    ['of an address on no droplet', address(), null],
    ['of an IPv4 address on a droplet', address({ dropletId: 11 }), null],
    ['of what was given back', address({ state: 'free', accountId: null }), 'address_not_found'],
    ['of an address with an open operation', address({ pendingActionId: 5 }), 'address_pending'],
  ])('%s', (_, facts, expected) => {
    expect(rejectionOfRelease(release, facts)).toBe(expected);
  });

  test('of an IPv6 address on a droplet is refused', () => {
    const operation: ReleaseOperation = { ...release, resourceType: 'reserved_ipv6', address: '2001:db8::7' };
    const facts = address({ address: '2001:db8::7', ipVersion: 6 });
    expect(rejectionOfRelease(operation, facts)).toBeNull();
    expect(rejectionOfRelease(operation, { ...facts, dropletId: 11 })).toBe('still_assigned');
  });
});

describe('a reserve', () => {
  const inRegion: ReserveOperation = {
    ...common,
    kind: 'reserve',
    target: { region: 'nyc3', dropletId: null },
    projectId: null,
  };
  const forDroplet: ReserveOperation = { ...inRegion, target: { region: null, dropletId: 11 } };
  const free = address({ state: 'free', accountId: null });
  const facts: ReserveFacts = {
    account: { limit: 3, held: 2, overrides: { heldPercent: null, perHourPercent: null } },
    regionId: 1,
    address: free,
    pool: { size: 256, use: { held: 2, quarantined: 0, releasedWithinHour: 0 }, free: null },
    droplet: null,
  };
  const shares: PoolShareRules = {
    heldPercent: 50,
    perHourPercent: 25,
    minimum: 4,
    bindsBelowFreePercent: 50,
    quarantineAllowance: 10,
  };

  test.each<[string, Partial<ReserveFacts>, string | null]>([
    ['below the limit', {}, null],
    ['at the limit', { account: { ...facts.account, held: 3 } }, 'limit_reached'],
    [
      'with its share of the pool used up',
      { pool: { ...facts.pool, use: { held: 2, quarantined: 0, releasedWithinHour: 64 } } },
      'pool_share_reached',
    ],
    ['in a region that is none', { regionId: null }, 'region_not_found'],
    ['in a region without a free address', { address: null }, 'pool_exhausted'],
  ])('in a region, %s', (_, changes, expected) => {
    expect(rejectionOfReserve(inRegion, { ...facts, ...changes }, shares)).toBe(expected);
  });

  test.each<[string, DropletFacts | null, string | null]>([
    ['that is free', droplet(), null],
    ['that is none', null, 'droplet_not_found'],
    ['of another account', droplet({ accountId: 8 }), 'droplet_not_found'],
    ['that has an address', droplet({ occupants: [occupant('held')] }), 'droplet_has_address'],
    ['on a host that is gone', droplet({ hostState: 'gone' }), 'droplet_unreachable'],
  ])('for a droplet %s', (_, target, expected) => {
    expect(rejectionOfReserve(forDroplet, { ...facts, regionId: null, droplet: target }, shares)).toBe(expected);
  });

  test('for a droplet in another region than the one that is named is refused', () => {
    const operation: ReserveOperation = { ...forDroplet, target: { region: 'nyc3', dropletId: 11 } };
    expect(rejectionOfReserve(operation, { ...facts, droplet: droplet({ regionId: 2 }) }, shares)).toBe(
      'region_mismatch',
    );
  });
});
