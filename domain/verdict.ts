import { z } from 'zod';
import { billingChangeSchema } from './billing.ts';
import type { Patience } from './patience.ts';

/** Why an operation was refused. The HTTP status and wording of each is in `api/errors.ts`. */
export const refusalSchema = z.enum([
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
export type Refusal = z.infer<typeof refusalSchema>;

/** The operation has its fence, its action row and its host events; it will end completed or errored. */
export const admittedSchema = z.object({
  kind: z.literal('admitted'),
  operationId: z.string(),
  /** The public number of the action. */
  actionId: z.int(),
  /** When the action began, on the database's clock. */
  startedAt: z.iso.datetime(),
  address: z.string(),
  region: z.string(),
  generation: z.int(),
  /** Host that must acknowledge the attach; null when nothing is attached. */
  attachTo: z.string().nullable(),
  /** Hosts that were told to detach. */
  detachFrom: z.array(z.string()),
  /** Nothing is left to wait for or to settle: admit did it all. */
  settled: z.boolean(),
  /** Changes that admit itself settled and that billing is to hear of. */
  billing: z.array(billingChangeSchema),
});
export type Admitted = z.infer<typeof admittedSchema>;

/** Nothing was changed, and nothing will be. */
export const refusedSchema = z.object({
  kind: z.literal('refused'),
  operationId: z.string(),
  refusal: refusalSchema,
});
export type Refused = z.infer<typeof refusedSchema>;

/** The one answer an operation ever gets to "may it happen?", stored under its id. */
export const verdictSchema = z.discriminatedUnion('kind', [admittedSchema, refusedSchema]);
export type Verdict = z.infer<typeof verdictSchema>;

/** How an operation ended in its workflow; errored ones fail the workflow instead. */
export const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('completed'), actionId: z.int(), address: z.string() }),
  refusedSchema,
]);
export type Outcome = z.infer<typeof outcomeSchema>;

/** A verdict as the running operation announces it. */
export const announcedVerdictSchema = z.object({ verdict: verdictSchema, runId: z.string() });
export type AnnouncedVerdict = z.infer<typeof announcedVerdictSchema>;

/** What the workflow of an operation is started with besides the operation, when it is admitted already. */
export interface DecidedOperation {
  admitted: Admitted;
  /** How long it tries what, by the settings of who admitted it. */
  patience: Patience;
}
