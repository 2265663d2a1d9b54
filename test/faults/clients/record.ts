import { z } from 'zod';

/*
 * What a client process writes down, one line for each thing it asked. Times are microseconds of the machine's monotonic
 * clock, which all processes share.
 */

const changeSchema = z.enum(['reserve', 'assign', 'unassign', 'release']);
export type ChangeKind = z.infer<typeof changeSchema>;

const outcomeSchema = z.discriminatedUnion('kind', [
  /** A change of an address; `action` is null where the answer names none. */
  z.object({ kind: z.literal('accepted'), address: z.string(), action: z.int().nullable() }),
  /** A droplet was made, or destroyed. */
  z.object({ kind: z.literal('done'), droplet: z.int() }),
  z.object({ kind: z.literal('refused'), status: z.int(), message: z.string() }),
  /** 503: it has not happened and will not. */
  z.object({ kind: z.literal('unavailable'), message: z.string() }),
  /** No answer, or one that says that it is not known. */
  z.object({ kind: z.literal('unknown'), why: z.string() }),
  /** `locked` is null where it is not shown. */
  z.object({ kind: z.literal('address'), droplet: z.int().nullable(), locked: z.boolean().nullable() }),
  z.object({ kind: z.literal('missing') }),
  z.object({ kind: z.literal('action'), status: z.enum(['in-progress', 'completed', 'errored']) }),
  /** An answer that no client of this API expects. */
  z.object({ kind: z.literal('unexpected'), status: z.int(), text: z.string() }),
]);
export type Outcome = z.infer<typeof outcomeSchema>;

const addressChangeSchema = z.object({
  kind: changeSchema,
  ipVersion: z.literal([4, 6]),
  /** Null for a reserve. */
  address: z.string().nullable(),
  /** Where an assign takes it, or for which droplet an address is reserved. */
  droplet: z.int().nullable(),
});

export const recordSchema = z.object({
  client: z.int(),
  account: z.int(),
  call: z.int(),
  return: z.int(),
  request: z.discriminatedUnion('kind', [
    addressChangeSchema,
    z.object({ kind: z.literal('create') }),
    z.object({ kind: z.literal('destroy'), droplet: z.int() }),
    z.object({ kind: z.literal('show'), address: z.string() }),
    z.object({ kind: z.literal('poll'), address: z.string(), action: z.int() }),
  ]),
  outcome: outcomeSchema,
});
export type ClientRecord = z.infer<typeof recordSchema>;
export type Request = ClientRecord['request'];
export type AddressChange = z.infer<typeof addressChangeSchema>;

/** A record of a change of an address. */
export type ChangeRecord = ClientRecord & { request: AddressChange };

/** Whether a change of an address was asked for. */
export function isAddressChange(record: ClientRecord): record is ChangeRecord {
  return changeSchema.safeParse(record.request.kind).success;
}

/** One HTTP request and its answer; a record may have several, and reads that got no answer have no record. */
export const exchangeSchema = z.object({
  call: z.int(),
  return: z.int(),
  method: z.string(),
  /** Null when the connection broke before an answer. */
  status: z.int().nullable(),
  /** Of an answer that says that something is wrong. */
  message: z.string().nullable(),
});
export type Exchange = z.infer<typeof exchangeSchema>;

/** What a client process is told at its start. */
export const clientConfigurationSchema = z.object({
  seed: z.int(),
  /** Numbers of its lanes begin here. */
  firstClient: z.int(),
  /** Requests at a time. */
  lanes: z.int(),
  /** Base URLs to ask at, any of them. */
  urls: z.array(z.string()).min(1),
  region: z.string(),
  account: z.object({ id: z.int(), token: z.string(), droplets: z.array(z.int()), limit: z.int() }),
  /** Which of the account's processes this is, from 0, and how many there are: each mostly keeps to a share of its own. */
  share: z.object({ index: z.int(), of: z.int() }),
  /** Where the records go. */
  recordsFile: z.string(),
  /** Where all requests go, also those that are repeated. */
  exchangesFile: z.string(),
});
export type ClientConfiguration = z.infer<typeof clientConfigurationSchema>;

/** Now, in microseconds of the monotonic clock. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
