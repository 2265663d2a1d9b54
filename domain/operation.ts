import { z } from 'zod';
import { type Address, type Family, familyOf } from './address.ts';
import { addressWorkflowId, reserveWorkflowId } from './names.ts';
import { requesterSchema } from './requester.ts';

/*
 * What an operation is asked to do. These shapes are the inputs of the workflows, so they are JSON only and stable:
 * add optional fields, never rename.
 */

/**
 * Which of the paths the action belongs to; decides the `resource_type` that clients see, and of which family the
 * address is.
 */
export const resourceTypeSchema = z.enum(['reserved_ip', 'floating_ip', 'reserved_ipv6']);
export type ResourceType = z.infer<typeof resourceTypeSchema>;

/** The family of the addresses that a resource type is about. */
export function familyOfResource(resourceType: ResourceType): Family {
  return resourceType === 'reserved_ipv6' ? 6 : 4;
}

/** What an address is to a client that names no resource type. */
export function resourceTypeOf(address: Address): ResourceType {
  return familyOf(address) === 4 ? 'reserved_ip' : 'reserved_ipv6';
}

const operationFields = {
  id: z.uuid(),
  accountId: z.int().positive(),
  resourceType: resourceTypeSchema,
  /**
   * RFC 3339. Not admitted by then, the operation is refused for good. For starters that have no database and wait for
   * the workflow to admit it.
   */
  admitBefore: z.iso.datetime().optional(),
  /** Who asked for it, for the audit log; missing in what was started before there was one. */
  requestedBy: requesterSchema.optional(),
};

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

export const assignOperationSchema = z.object({
  ...operationFields,
  kind: z.literal('assign'),
  address: z.string(),
  dropletId: z.int().positive(),
});
export type AssignOperation = z.infer<typeof assignOperationSchema>;

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

export const releaseOperationSchema = z.object({
  ...operationFields,
  kind: z.literal('release'),
  address: z.string(),
});
export type ReleaseOperation = z.infer<typeof releaseOperationSchema>;

export const operationSchema = z.discriminatedUnion('kind', [
  reserveOperationSchema,
  assignOperationSchema,
  unassignOperationSchema,
  releaseOperationSchema,
]);
export type Operation = z.infer<typeof operationSchema>;
/** An operation on an address that is there already. */
export type AddressOperation = Exclude<Operation, ReserveOperation>;
export type OperationKind = Operation['kind'];

/** The workflow id an operation runs under. */
export function workflowIdOf(operation: Operation): string {
  return operation.kind === 'reserve' ? reserveWorkflowId(operation.id) : addressWorkflowId(operation.address);
}
