import { z } from 'zod';
import type { RejectionReason } from '../decision.ts';
import { type OperationKindDefinition, onAddress, operationFields } from '../operation-fields.ts';
import { type AddressFacts, isHeldFor } from '../rules.ts';

export const releaseOperationSchema = z.object({
  ...operationFields,
  kind: z.literal('release'),
  address: z.string(),
});
export type ReleaseOperation = z.infer<typeof releaseOperationSchema>;

/** An address is to be given back. */
export const release: OperationKindDefinition<ReleaseOperation> = {
  schema: releaseOperationSchema,
  ...onAddress,
  summary: ({ address }) => `release ${address}`,
  detail: () => null,
};

/** Why an address cannot be given back. v2 clients know that they must unassign an IPv6 address first. */
export function rejectionOfRelease(operation: ReleaseOperation, address: AddressFacts | null): RejectionReason | null {
  if (!isHeldFor(operation, address)) return 'address_not_found';
  if (address.pendingActionId !== null) return 'address_pending';
  return address.ipVersion === 6 && address.dropletId !== null ? 'still_assigned' : null;
}
