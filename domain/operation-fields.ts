import { z } from 'zod';
import { type Address, type IpVersion, ipVersionOf } from './address.ts';
import type { OperationId } from './identifiers.ts';
import { addressWorkflowId } from './names.ts';
import { requesterSchema } from './requester.ts';

/**
 * Which of the paths the action belongs to; decides the `resource_type` that clients see, and of which family the
 * address is.
 */
export const resourceTypeSchema = z.enum(['reserved_ip', 'floating_ip', 'reserved_ipv6']);
export type ResourceType = z.infer<typeof resourceTypeSchema>;

/** The family of the addresses that a resource type is about. */
export function ipVersionOfResource(resourceType: ResourceType): IpVersion {
  return resourceType === 'reserved_ipv6' ? 6 : 4;
}

/** What an address is to a client that names no resource type. */
export function resourceTypeOf(address: Address): ResourceType {
  return ipVersionOf(address) === 4 ? 'reserved_ip' : 'reserved_ipv6';
}

/** What every operation says. */
export const operationFields = {
  id: z.uuid(),
  accountId: z.int().positive(),
  resourceType: resourceTypeSchema,
  /**
   * RFC 3339. Not admitted by then, the operation is rejected for good. For starters that have no database and wait for
   * the workflow to admit it.
   */
  admitBefore: z.iso.datetime().optional(),
  /** Who asked for it, for the audit log; missing in what was started before there was one. */
  requestedBy: requesterSchema.optional(),
};

/** What the parts that serve every kind of operation ask of one; each kind answers in a module of its own. */
export interface OperationKindDefinition<OfKind extends { id: OperationId }> {
  /** The shape of its input, which is also the workflow's: JSON only and stable. Add optional fields, never rename. */
  schema: z.ZodType<OfKind>;
  /** The workflow id. Temporal runs one operation at a time under one id. */
  workflowId(operation: OfKind): string;
  /** The line that operators read in the Web UI. */
  summary(operation: OfKind): string;
  /** What it is about before it is admitted; null where that is not known yet. */
  about(operation: OfKind): { address: Address | null; region: string | null };
  /** What the audit log says of an admitted one besides the number of its action; null is nothing. */
  detail(operation: OfKind): string | null;
}

/** What all kinds on an address that is there already answer alike: one of them runs at a time on each address. */
export const onAddress = {
  workflowId: ({ address }: { address: Address }) => addressWorkflowId(address),
  about: ({ address }: { address: Address }) => ({ address, region: null }),
};
