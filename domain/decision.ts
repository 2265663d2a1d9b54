import { z } from 'zod';
import { admittedOf } from './admitted.ts';
import { billingChangeSchema } from './billing.ts';
import type { OperationTimeouts } from './timeouts.ts';

/**
 * Why an operation was rejected. The HTTP status and wording of each is in `api/errors.ts`. The values are stored and
 * recorded, so none is renamed.
 */
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

/** A command that a host must acknowledge before its operation completes. */
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
  /** The commands that the operation waits for. Missing in what older versions have recorded. */
  hostCommands: z.array(hostCommandSchema).optional(),
  /** Further addresses that the operation changes. Missing when there is none. */
  furtherFences: z.array(fenceSchema).optional(),
  /** Of the commands about `address`, for readers that do not know `hostCommands`: the host that must attach it. */
  attachTo: z.string().nullable(),
  /** Likewise the hosts that must detach it. */
  detachFrom: z.array(z.string()),
  /** Nothing is left to wait for or to settle: the admission did it all. */
  settled: z.boolean(),
  /** Changes that the admission itself settled and that must be billed. */
  billing: z.array(billingChangeSchema),
});

/** An admitted operation as any version may have recorded it; {@link admittedOf} makes one form of it. */
export type RecordedAdmitted = z.infer<typeof recordedAdmittedSchema>;

/** The operation has its fence, its action row and its host commands; it will end completed or errored. */
export interface Admitted extends RecordedAdmitted {
  hostCommands: HostCommand[];
}
export const admittedSchema = recordedAdmittedSchema.transform(admittedOf);

/** A rejected operation: nothing was changed, and nothing will be. Its JSON says `rejected` and `rejection`, since it is stored. */
export const rejectedSchema = z.object({
  kind: z.literal('refused'),
  operationId: z.string(),
  refusal: rejectionReasonSchema,
});
export type Rejected = z.infer<typeof rejectedSchema>;

/** The decision about an operation: admitted or rejected. It is made once and stored under the operation's id. */
export const decisionSchema = z
  .discriminatedUnion('kind', [recordedAdmittedSchema, rejectedSchema])
  .transform((decision): Decision => (decision.kind === 'admitted' ? admittedOf(decision) : decision));
export type Decision = Admitted | Rejected;
/** A decision as any version may have recorded it. */
export type RecordedDecision = RecordedAdmitted | Rejected;

/** How an operation ended in its workflow; errored ones fail the workflow instead. */
export const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('completed'), actionId: z.int(), address: z.string() }),
  rejectedSchema,
]);
export type Outcome = z.infer<typeof outcomeSchema>;

/** A decision as the update of a running operation answers it; its field is `verdict` on the wire. */
export const announcedDecisionSchema = z.object({ verdict: decisionSchema, runId: z.string() });
export type AnnouncedDecision = z.infer<typeof announcedDecisionSchema>;

/** What the workflow of an operation is started with besides the operation, when it is admitted already. */
export interface DecidedOperation {
  admitted: RecordedAdmitted;
  /** The timeouts, by the settings of the process that admitted it; recorded under this name. */
  patience: OperationTimeouts;
}
