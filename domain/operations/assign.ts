import { z } from 'zod';
import type { Refusal } from '../decision.ts';
import { type OperationKindDefinition, onAddress, operationFields } from '../operation-fields.ts';
import { type AddressFacts, type DropletFacts, isHeldFor, isOwn, refusalOfDroplet } from '../rules.ts';

export const assignOperationSchema = z.object({
  ...operationFields,
  kind: z.literal('assign'),
  address: z.string(),
  dropletId: z.int().positive(),
});
export type AssignOperation = z.infer<typeof assignOperationSchema>;

/** An address is to point at a droplet. */
export const assign: OperationKindDefinition<AssignOperation> = {
  schema: assignOperationSchema,
  ...onAddress,
  summary: ({ address, dropletId }) => `assign ${address} to droplet ${dropletId}`,
  detail: ({ dropletId }) => `droplet ${dropletId}`,
};

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
