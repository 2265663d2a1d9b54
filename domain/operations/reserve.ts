import { z } from 'zod';
import type { RejectionReason } from '../decision.ts';
import { reserveWorkflowId } from '../names.ts';
import { ipVersionOfResource, type OperationKindDefinition, operationFields } from '../operation-fields.ts';
import { type AccountUse, type PoolShareOverrides, type PoolShareRules, poolShareRejection } from '../pool-share.ts';
import { type AddressFacts, type DropletFacts, isOwn, rejectionOfDroplet } from '../rules.ts';

export const reserveOperationSchema = z.object({
  ...operationFields,
  kind: z.literal('reserve'),
  target: z.union([
    z.object({ region: z.string(), dropletId: z.null() }),
    z.object({ region: z.string().nullable(), dropletId: z.int().positive() }),
  ]),
  projectId: z.string().nullable(),
});
export type ReserveOperation = z.infer<typeof reserveOperationSchema>;

/** An account is to have an address. */
export const reserve: OperationKindDefinition<ReserveOperation> = {
  schema: reserveOperationSchema,
  // There is no address yet that could be changed by two at a time.
  workflowId: ({ id }) => reserveWorkflowId(id),
  summary: ({ target }) => `reserve in ${target.region ?? `the region of droplet ${target.dropletId}`}`,
  about: ({ target }) => ({ address: null, region: target.region }),
  detail: () => null,
};

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
export function rejectionOfReserve(
  { accountId, target, resourceType }: ReserveOperation,
  { account, regionId, address, pool, droplet }: ReserveFacts,
  rules: PoolShareRules,
): RejectionReason | null {
  if (target.dropletId !== null && !isOwn(droplet, accountId)) return 'droplet_not_found';
  if (target.region !== null && regionId === null) return 'region_not_found';
  if (droplet && regionId !== null && droplet.regionId !== regionId) return 'region_mismatch';
  const rejection = droplet && rejectionOfDroplet(droplet, ipVersionOfResource(resourceType));
  if (rejection) return rejection;
  if (account.held >= account.limit) return 'limit_reached';
  if (!address) return 'pool_exhausted';
  return poolShareRejection({ ...account, ...pool }, rules);
}
