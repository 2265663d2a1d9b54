import { CompressionTypes, type Producer } from 'kafkajs';
import type { Logger } from 'pino';
import { toMessage } from '../../../billing/event.ts';
import { ensureTopic, openKafka } from '../../../billing/kafka.ts';
import type { BillingChangeKind } from '../../../domain/billing.ts';
import { BILLING_TOPIC, billingEventId } from '../../../domain/names.ts';
import { ServerUnreachableError } from '../../../platform/config/server-unreachable.ts';
import type { KafkaSettings } from '../../../platform/config/servers.ts';
import type { Latency } from '../latency.ts';
import { INNER_CALLS } from '../parameters.ts';

/** What billing is told. */
export interface Emission {
  kind: BillingChangeKind;
  actionId: number;
  accountId: number;
  address: string;
  region: string;
  dropletId: number | null;
}

/** Tells billing, in the request and once: what Kafka does not take at the first try is lost. */
export class Emitter {
  readonly #producer: Producer;
  readonly #latency: Latency;

  private constructor(producer: Producer, latency: Latency) {
    this.#producer = producer;
    this.#latency = latency;
  }

  static async connect(settings: KafkaSettings & { logger: Logger }, latency: Latency): Promise<Emitter> {
    const kafka = openKafka(settings);
    await ensureTopic(kafka).catch((error: unknown) => {
      throw new ServerUnreachableError('Kafka', settings.brokers.join(','), error);
    });
    const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
    await producer.connect();
    return new Emitter(producer, latency);
  }

  async emit(emission: Emission): Promise<void> {
    const change = {
      ...emission,
      eventId: billingEventId(emission.actionId),
      effectiveAt: new Date().toISOString(),
    };
    await this.#latency(INNER_CALLS.kafka);
    await this.#producer.send({
      topic: BILLING_TOPIC,
      acks: -1,
      compression: CompressionTypes.None,
      messages: [toMessage(change)],
    });
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }
}
