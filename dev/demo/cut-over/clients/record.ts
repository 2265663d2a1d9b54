import { z } from 'zod';
import { CODE_PATHS } from '../../../../edge/code-paths.ts';

/*
 * What the process of clients is told, and the lines that it prints.
 */

/** The libraries that customers use. */
export const LIBRARIES = ['dots-wrapper', 'dots'] as const;
export type Library = (typeof LIBRARIES)[number];

const customerSchema = z.object({
  accountId: z.int(),
  token: z.string(),
  region: z.string(),
  droplets: z.array(z.int()).min(2),
  /** When in its beat it sends its requests, from 0 to 1. */
  phase: z.number(),
});
/** A customer to be played. */
export type PlannedCustomer = z.infer<typeof customerSchema>;

/** What a process of clients is told. */
export const planSchema = z.object({
  library: z.enum(LIBRARIES),
  /** Base URLs of the gateways, which every customer uses in turns. */
  gateways: z.array(z.string()).min(1),
  /** Time from one request of a customer to the next, in milliseconds. */
  beatMs: z.number(),
  /** One request of so many is a change, as long as none is on its way. */
  changeEvery: z.int().min(1),
  seed: z.int(),
  customers: z.array(customerSchema),
});
export type ClientPlan = z.infer<typeof planSchema>;

/** What a customer has been told, by the kind of the action that it made. */
export const toldSchema = z.object({
  reserve_ip: z.int(),
  assign_ip: z.int(),
  unassign_ip: z.int(),
  release_ip: z.int(),
});
export type Told = z.infer<typeof toldSchema>;

/** One number for each kind of action. */
export function toldBy(of: (type: keyof Told) => number): Told {
  return {
    reserve_ip: of('reserve_ip'),
    assign_ip: of('assign_ip'),
    unassign_ip: of('unassign_ip'),
    release_ip: of('release_ip'),
  };
}

const requestSchema = z.object({
  kind: z.literal('request'),
  accountId: z.int(),
  codePath: z.enum(CODE_PATHS),
  /** Milliseconds since the epoch. */
  beganAt: z.number(),
  ms: z.number(),
  /** Why it failed, or what in its answer is not so; null when all is well. */
  problem: z.string().nullable(),
});
/** One request of a customer, as its library answered it. */
export type ClientRequest = z.infer<typeof requestSchema>;

const endSchema = z.object({
  kind: z.literal('end'),
  accountId: z.int(),
  told: toldSchema,
  held: z.object({ ip: z.string(), dropletId: z.int().nullable() }).nullable(),
  /** Beats at which the request before was not answered yet. */
  missedBeats: z.int(),
});
/** What a customer knows in the end. */
export type CustomerEnd = z.infer<typeof endSchema>;

/** A line that a process of clients prints. */
export const lineSchema = z.discriminatedUnion('kind', [requestSchema, endSchema]);
export type ClientLine = z.infer<typeof lineSchema>;
