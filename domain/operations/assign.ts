import { z } from 'zod';
import type { RejectionReason } from '../decision.ts';
import { type OperationKindDefinition, onAddress, operationFields } from '../operation-fields.ts';
import { type AddressFacts, type DropletFacts, isHeldFor, isOwn, rejectionOfDroplet } from '../rules.ts';

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
export function rejectionOfAssign(
  operation: AssignOperation,
  { address, droplet }: { address: AddressFacts | null; droplet: DropletFacts | null },
): RejectionReason | null {
  if (!isHeldFor(operation, address)) return 'address_not_found';
  if (!isOwn(droplet, operation.accountId)) return 'droplet_not_found';
  if (address.pendingActionId !== null) return 'address_pending';
  if (address.dropletId === droplet.id) return 'already_assigned';
  if (address.regionId !== droplet.regionId) return 'region_mismatch';
  return rejectionOfDroplet(droplet, address.ipVersion);
}
