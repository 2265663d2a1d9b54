import { z } from 'zod';

/** What a billing event says happened to an address. */
export const billingChangeKindSchema = z.enum(['reserved', 'assigned', 'reassigned', 'unassigned', 'released']);
export type BillingChangeKind = z.infer<typeof billingChangeKindSchema>;

/** One settled change, as billing needs it. `effectiveAt` is the settling transaction's time on the database clock. */
export const billingChangeSchema = z.object({
  eventId: z.string(),
  kind: billingChangeKindSchema,
  accountId: z.int(),
  address: z.string(),
  region: z.string(),
  dropletId: z.int().nullable(),
  actionId: z.int(),
  effectiveAt: z.iso.datetime(),
});
export type BillingChange = z.infer<typeof billingChangeSchema>;
