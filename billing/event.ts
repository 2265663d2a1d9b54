import { CloudEvent, Kafka } from 'cloudevents';
import { z } from 'zod';
import { type BillingChange, billingChangeKindSchema } from '../domain/billing.ts';
import { BILLING_EVENT_SOURCE, BILLING_EVENT_TYPE_PREFIX } from '../domain/names.ts';

/** The `data` of a billing event, as it is on the topic. */
export const billingDataSchema = z.object({
  account_id: z.int(),
  address: z.string(),
  region: z.string(),
  droplet_id: z.int().nullable(),
  action_id: z.int(),
  change: billingChangeKindSchema,
  effective_at: z.iso.datetime(),
});
type BillingData = z.infer<typeof billingDataSchema>;

/** A message as Kafka keeps it. */
export interface KafkaMessage {
  /** The address, so that all changes of one address stay in order. */
  key: string;
  value: string;
  headers: Record<string, string>;
  /** Milliseconds since 1970, as text. */
  timestamp: string;
}

/** Puts a change into a CloudEvent in structured JSON mode. */
export function toMessage(change: BillingChange): KafkaMessage {
  const data: BillingData = {
    account_id: change.accountId,
    address: change.address,
    region: change.region,
    droplet_id: change.dropletId,
    action_id: change.actionId,
    change: change.kind,
    effective_at: change.effectiveAt,
  };
  const event = new CloudEvent<BillingData>({
    id: change.eventId,
    source: BILLING_EVENT_SOURCE,
    type: BILLING_EVENT_TYPE_PREFIX + change.kind,
    time: change.effectiveAt,
    subject: change.address,
    datacontenttype: 'application/json',
    data,
  });
  return {
    key: change.address,
    value: event.toString(),
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    timestamp: String(Date.parse(change.effectiveAt)),
  };
}

/** What of a message is needed to read it. */
export interface ReadableMessage {
  key: Buffer | string | null;
  value: Buffer | string | null;
  headers: Record<string, string>;
}

/** Reads a CloudEvent in either mode. Throws an Error that says why it is no billing event. */
export function fromMessage({ key, value, headers }: ReadableMessage): BillingChange {
  const message = { headers, key: String(key ?? ''), value: String(value ?? ''), body: String(value ?? '') };
  const event = Kafka.toEvent<unknown>(message);
  if (Array.isArray(event)) throw new Error('a batch of events in one message');
  if (!event.type.startsWith(BILLING_EVENT_TYPE_PREFIX)) throw new Error(`unknown type ${event.type}`);
  const data = billingDataSchema.safeParse(event.data);
  if (!data.success) throw new Error(z.prettifyError(data.error));
  return {
    eventId: event.id,
    kind: data.data.change,
    accountId: data.data.account_id,
    address: data.data.address,
    region: data.data.region,
    dropletId: data.data.droplet_id,
    actionId: data.data.action_id,
    effectiveAt: data.data.effective_at,
  };
}
