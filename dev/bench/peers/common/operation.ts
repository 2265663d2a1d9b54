import { z } from 'zod';

/** What a caller asks of a peer's service: take an address to a droplet, or off the one it is on. */
export const operationRequestSchema = z.object({
  /** A UUID of the caller's; the same request under the same id is one operation. */
  operationId: z.uuid(),
  accountId: z.int(),
  address: z.string(),
  /** The droplet to take the address to; null takes it off. */
  dropletId: z.int().nullable(),
});
export type OperationRequest = z.infer<typeof operationRequestSchema>;

/** An operation that MySQL has admitted: the action is in progress and the address is fenced. */
export const admittedSchema = z.object({
  kind: z.literal('admitted'),
  actionId: z.int(),
  addressId: z.int(),
  generation: z.int(),
  /** Where the host takes its commands. */
  hostUrl: z.string(),
});
export type Admitted = z.infer<typeof admittedSchema>;

/** What the admission came to; a rejected operation has written nothing. */
export const decisionSchema = z.discriminatedUnion('kind', [
  admittedSchema,
  z.object({
    kind: z.literal('rejected'),
    reason: z.enum(['address_not_found', 'address_pending', 'droplet_not_found', 'already_there']),
  }),
]);
export type Decision = z.infer<typeof decisionSchema>;

/** What a host is told. It posts `reply.body` to `reply.url` when it is done. */
export const hostCommandSchema = z.object({
  operationId: z.uuid(),
  address: z.string(),
  change: z.enum(['attach', 'detach']),
  generation: z.int(),
  reply: z.object({ url: z.url(), body: z.unknown() }),
});
export type HostCommand = z.infer<typeof hostCommandSchema>;

/** The host's answer. */
export const APPLIED = 'applied';

/** What is published when an operation has settled. */
export interface SettledEvent {
  request: OperationRequest;
  actionId: number;
  /** When it settled, in ISO 8601. */
  settledAt: string;
}
