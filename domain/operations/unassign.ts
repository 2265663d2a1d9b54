import { z } from 'zod';
import type { RejectionReason } from '../decision.ts';
import { type OperationKindDefinition, onAddress, operationFields } from '../operation-fields.ts';
import { type AddressFacts, type DropletFacts, isHeldFor, othersOf } from '../rules.ts';

export const unassignOperationSchema = z.object({
  ...operationFields,
  kind: z.literal('unassign'),
  address: z.string(),
  /**
   * The address is taken off because this droplet is destroyed, so nothing is restored. The droplet is gone for its
   * owner at the admit of the last operation that takes an address off it.
   */
  destroysDropletId: z.int().positive().nullable(),
});
export type UnassignOperation = z.infer<typeof unassignOperationSchema>;

/** An address is to be taken off its droplet. */
export const unassign: OperationKindDefinition<UnassignOperation> = {
  schema: unassignOperationSchema,
  ...onAddress,
  summary: ({ address }) => `unassign ${address}`,
  detail: () => null,
};

/**
 * Why an address cannot be taken off its droplet. `destroyed` is the droplet that is destroyed with it, if one is: no
 * other operation may be open on what it holds.
 */
export function rejectionOfUnassign(
  operation: UnassignOperation,
  { address, destroyed }: { address: AddressFacts | null; destroyed: DropletFacts | null },
): RejectionReason | null {
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
