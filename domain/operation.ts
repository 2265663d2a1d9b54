import { z } from 'zod';
import type { OperationKindDefinition } from './operation-fields.ts';
import { type AssignOperation, assign, assignOperationSchema } from './operations/assign.ts';
import { type ReleaseOperation, release, releaseOperationSchema } from './operations/release.ts';
import { type ReserveOperation, reserve, reserveOperationSchema } from './operations/reserve.ts';
import { type UnassignOperation, unassign, unassignOperationSchema } from './operations/unassign.ts';

export { ipVersionOfResource, type ResourceType, resourceTypeOf, resourceTypeSchema } from './operation-fields.ts';
export type { AssignOperation, ReleaseOperation, ReserveOperation, UnassignOperation };

/*
 * The kinds of operations. A new one is a module in operations/ and its lines here; from then on the compiler names every
 * other place that must know it. Nothing but the modules of a kind asks which kind an operation is.
 */

export const operationSchema = z.discriminatedUnion('kind', [
  reserveOperationSchema,
  assignOperationSchema,
  unassignOperationSchema,
  releaseOperationSchema,
]);
export type Operation = z.infer<typeof operationSchema>;
export type OperationKind = Operation['kind'];
/** The operation of a kind. */
export type OperationOf<Kind extends OperationKind> = Extract<Operation, { kind: Kind }>;
/** Every kind of operation, by the name that its workflow has too. */
export const OPERATION_KINDS: { [Kind in OperationKind]: OperationKindDefinition<OperationOf<Kind>> } = {
  reserve,
  assign,
  unassign,
  release,
};

/** The names of all kinds. */
export const OPERATION_KIND_NAMES: readonly string[] = Object.keys(OPERATION_KINDS);

/** What an operation's kind says of it. */
export function kindOf(operation: Operation): OperationKindDefinition<Operation> {
  return OPERATION_KINDS[operation.kind];
}

/** The workflow id an operation runs under. */
export function workflowIdOf(operation: Operation): string {
  return kindOf(operation).workflowId(operation);
}

/** The address that an operation is about, or what stands for it until it has one; for the audit log. */
export function subjectOf(operation: Operation): string {
  const { address, region } = kindOf(operation).about(operation);
  return address ?? region ?? operation.kind;
}
