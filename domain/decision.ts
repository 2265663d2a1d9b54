import { z } from 'zod';
import { admittedOf } from './admitted.ts';
import { billingChangeSchema } from './billing.ts';
import type { OperationTimeouts } from './timeouts.ts';

/** Why an operation was rejected. The HTTP status and wording of each is in `api/errors.ts`. */
export const rejectionReasonSchema = z.enum([
  'address_not_found',
  'droplet_not_found',
  'region_not_found',
  'address_pending',
  'droplet_pending',
  'droplet_has_address',
  'already_assigned',
  'not_assigned',
  'still_assigned',
  'region_mismatch',
  'limit_reached',
  'droplet_unreachable',
  'pool_exhausted',
  'cooldown_limit_reached',
  'pool_share_reached',
  'expired',
]);
export type RejectionReason = z.infer<typeof rejectionReasonSchema>;

/** One thing that a host was told, and that it is to acknowledge. */
export const hostCommandSchema = z.object({
  host: z.string(),
  change: z.enum(['attach', 'detach']),
  address: z.string(),
  generation: z.int(),
});
export type HostCommand = z.infer<typeof hostCommandSchema>;

/** An address that an operation changes, with the action that holds its fence. */
export const fenceSchema = z.object({ address: z.string(), actionId: z.int(), generation: z.int() });
export type Fence = z.infer<typeof fenceSchema>;

const recordedAdmittedSchema = z.object({
  kind: z.literal('admitted'),
  operationId: z.string(),
  /** The public number of the action. */
  actionId: z.int(),
  /** When the action began, on the database's clock. */
  startedAt: z.iso.datetime(),
  address: z.string(),
  region: z.string(),
  generation: z.int(),
  /** What hosts were told and are waited for. Missing in what versions without it have written. */
  hostCommands: z.array(hostCommandSchema).optional(),
  /** Further addresses that the operation changes. Missing when there is none. */
  furtherFences: z.array(fenceSchema).optional(),
  /** Of the commands about `address`, for readers that do not know `hostCommands`: the host that is to attach it. */
  attachTo: z.string().nullable(),
  /** Likewise the hosts that are to detach it. */
  detachFrom: z.array(z.string()),
  /** Nothing is left to wait for or to settle: admit did it all. */
  settled: z.boolean(),
  /** Changes that admit itself settled and that billing is to hear of. */
  billing: z.array(billingChangeSchema),
});

/** An admitted operation as any version may have recorded it; {@link admittedOf} makes one form of it. */
export type RecordedAdmitted = z.infer<typeof recordedAdmittedSchema>;

/** The operation has its fence, its action row and its host commands; it will end completed or errored. */
export interface Admitted extends RecordedAdmitted {
  hostCommands: HostCommand[];
}
export const admittedSchema = recordedAdmittedSchema.transform(admittedOf);

/** Nothing was changed, and nothing will be. */
export const rejectedSchema = z.object({
  kind: z.literal('refused'),
  operationId: z.string(),
  refusal: rejectionReasonSchema,
});
export type Rejected = z.infer<typeof rejectedSchema>;

/** The one answer an operation ever gets to "may it happen?", stored under its id. */
export const decisionSchema = z
  .discriminatedUnion('kind', [recordedAdmittedSchema, rejectedSchema])
  .transform((verdict): Decision => (verdict.kind === 'admitted' ? admittedOf(verdict) : verdict));
export type Decision = Admitted | Rejected;
/** A verdict as any version may have recorded it. */
export type RecordedDecision = RecordedAdmitted | Rejected;

/** How an operation ended in its workflow; errored ones fail the workflow instead. */
export const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('completed'), actionId: z.int(), address: z.string() }),
  rejectedSchema,
]);
export type Outcome = z.infer<typeof outcomeSchema>;

/** A verdict as the running operation announces it. */
export const announcedDecisionSchema = z.object({ verdict: decisionSchema, runId: z.string() });
export type AnnouncedDecision = z.infer<typeof announcedDecisionSchema>;

/** What the workflow of an operation is started with besides the operation, when it is admitted already. */
export interface DecidedOperation {
  admitted: RecordedAdmitted;
  /** How long it tries what, by the settings of who admitted it. */
  patience: OperationTimeouts;
}
