import type { Compilable } from 'kysely';
import type { RejectionReason } from '../../domain/decision.ts';
import { ipVersionOfResource, type ReserveOperation } from '../../domain/operation.ts';
import { type ReserveFacts, rejectionOfReserve } from '../../domain/operations/reserve.ts';
import { plentyOf } from '../../domain/pool-share.ts';
import { statement } from '../statement.ts';
import { admitBy } from './admission.ts';
import { sendingToDroplet } from './assign-writes.ts';
import { moveCommands } from './host-command-writes.ts';
import type { OperationWrites } from './kind.ts';
import {
  dropletQuery,
  effectiveTime,
  freeAddressQuery,
  type LockedAddress,
  type LockedDroplet,
  nextGeneration,
  occupantsQuery,
  toLockedAddress,
  toLockedDroplet,
} from './locks.ts';
import type { AddressChange, AdmissionContext, AdmissionResult, NewAction, Plan } from './plan.ts';
import { freeCountQuery, heldQuery, poolSizeQuery, quarantinedQuery } from './pool-share.ts';

/**
 * Gives a free address to the account, of the IP version of the operation's resource type. Nothing needs a host's
 * word for that, so reserving is settled here; with a droplet the same transaction also admits the assignment, which then
 * goes the way of every assign. The account is locked, so that two reserves at once cannot both take its last place.
 * What is free of a pool is counted only when the account has used up a share of it, and no further than it matters.
 */
async function admitReserve(context: AdmissionContext<ReserveOperation>): Promise<AdmissionResult> {
  let plenty = 0;
  const attempt = (countUpTo: number) =>
    admitBy(context, readsOf(context, countUpTo), ([[account], [held], [quarantined], [ranges], [region], ...rest]) => {
      const [[addressRow], [dropletRow], occupants, [counted]] = rest;
      const size = Number(ranges?.size ?? 0);
      plenty = plentyOf(size, context.rules.poolShare);
      const releasing = Number(held?.releasing ?? 0);
      const found: Found = {
        account: {
          limit: account?.reserved_ip_limit ?? 0,
          held: Number(held?.total ?? 0),
          overrides: {
            heldPercent: account?.pool_share_held_percent ?? null,
            perHourPercent: account?.pool_share_per_hour_percent ?? null,
          },
        },
        accountUuid: account?.uuid ?? null,
        regionId: region?.id ?? null,
        address: toLockedAddress(addressRow),
        droplet: toLockedDroplet(dropletRow, occupants),
        pool: {
          size,
          use: {
            held: Number(held?.held ?? 0),
            quarantined: Number(quarantined?.quarantined ?? 0) + releasing,
            releasedWithinHour: Number(quarantined?.releasedWithinHour ?? 0) + releasing,
          },
          free: countUpTo === 0 ? null : Number(counted?.free ?? 0),
        },
      };
      return decide(context, found);
    });
  const result = await attempt(0);
  return result.kind === 'rejected' && result.reason === 'pool_share_reached' && plenty > 0 ? attempt(plenty) : result;
}

interface AccountRow {
  uuid: string;
  reserved_ip_limit: number;
  pool_share_held_percent: number | null;
  pool_share_per_hour_percent: number | null;
}

function readsOf({ operation, rules }: AdmissionContext<ReserveOperation>, countUpTo: number) {
  const { accountId, target } = operation;
  const ipVersion = ipVersionOfResource(operation.resourceType);
  const pool = { target, ipVersion };
  return [
    accountQuery(accountId),
    heldQuery(accountId, pool),
    quarantinedQuery(accountId, pool, rules),
    poolSizeQuery(pool),
    statement<{ id: number }>`SELECT id FROM regions WHERE slug = ${target.region}`,
    freeAddressQuery({ ...target, ipVersion }),
    dropletQuery(target.dropletId),
    occupantsQuery(target.dropletId),
    freeCountQuery(pool, countUpTo),
  ] as const;
}

function accountQuery(accountId: number): Compilable<AccountRow> {
  return statement<AccountRow>`
    SELECT uuid, reserved_ip_limit, pool_share_held_percent, pool_share_per_hour_percent
    FROM accounts WHERE id = ${accountId} FOR UPDATE`;
}

type Found = ReserveFacts & {
  accountUuid: string | null;
  address: LockedAddress | null;
  droplet: LockedDroplet | null;
};

function decide({ operation, rules }: AdmissionContext<ReserveOperation>, found: Found): RejectionReason | Plan {
  const { address, droplet, accountUuid } = found;
  const rejection = rejectionOfReserve(operation, found, rules.poolShare);
  if (rejection) return rejection;
  if (!address) return 'pool_exhausted';
  const at = effectiveTime(address);
  const holding = {
    state: 'reserved' as const,
    account_id: operation.accountId,
    project_id: operation.projectId,
    reserved_at: at,
    changed_at: at,
  };
  const reserved: NewAction = { type: 'reserve_ip', status: 'completed', dropletId: null, previousDropletId: null };
  const inRegion: AddressChange = { address, actions: [reserved], changes: holding, commands: [], billing: 'reserved' };
  if (!droplet) return { changes: [inRegion], settled: true, destroys: null, accountUuid };
  const assigned: NewAction = {
    type: 'assign_ip',
    status: 'in-progress',
    dropletId: droplet.id,
    previousDropletId: null,
  };
  const forDroplet: AddressChange = {
    ...inRegion,
    actions: [reserved, assigned],
    changes: { ...holding, target_droplet_id: droplet.id },
    commands: moveCommands(operation.id, address, nextGeneration(address), { from: null, to: droplet }),
  };
  return { changes: [forDroplet], settled: false, destroys: null, accountUuid };
}

/** Gives an address to an account; with a droplet it is then sent there. */
export const reserveWrites: OperationWrites<ReserveOperation> = { admit: admitReserve, ...sendingToDroplet };
