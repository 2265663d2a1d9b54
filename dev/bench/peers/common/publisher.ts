import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from 'kafkajs';
import type { SettledEvent } from './operation.ts';

/** The control plane's own limit. */
const LARGEST_BATCH = 500;

interface Entry {
  message: Message;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Publishes with the settings of the control plane: idempotent, acknowledged by all in-sync replicas, one send at a
 * time, and what comes up meanwhile goes together in the next.
 */
export class EventPublisher {
  readonly #topic: string;
  readonly #producer: Producer;
  #queue: Entry[] = [];
  #sending = false;

  constructor(brokers: string[], topic: string) {
    this.#topic = topic;
    this.#producer = new Kafka({ clientId: topic, brokers, logLevel: logLevel.ERROR }).producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 300 },
    });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  close(): Promise<void> {
    return this.#producer.disconnect();
  }

  /** Resolves when the event is safe; rejects when it may not be. */
  publish(event: SettledEvent): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ message: toMessage(event), resolve, reject });
    if (!this.#sending) void this.#sendAll();
    return promise;
  }

  async #sendAll(): Promise<void> {
    this.#sending = true;
    // In a later turn, so that events that come up together go together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, LARGEST_BATCH);
      try {
        await this.#producer.sendBatch({
          acks: -1,
          timeout: 2_000,
          compression: CompressionTypes.None,
          topicMessages: [{ topic: this.#topic, messages: batch.map(({ message }) => message) }],
        });
        for (const entry of batch) entry.resolve();
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    this.#sending = false;
  }
}

/** A CloudEvent with the fields of the control plane's billing event. */
function toMessage({ request, actionId, settledAt }: SettledEvent): Message {
  const change = request.dropletId === null ? 'unassigned' : 'assigned';
  return {
    key: request.address,
    value: JSON.stringify({
      specversion: '1.0',
      id: request.operationId,
      source: '/reserved-ip/peer',
      type: `reserved-ip.billing.v1.${change}`,
      time: settledAt,
      subject: request.address,
      datacontenttype: 'application/json',
      data: {
        account_id: request.accountId,
        address: request.address,
        region: 'bench',
        droplet_id: request.dropletId,
        action_id: actionId,
        change,
        effective_at: settledAt,
      },
    }),
    headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    timestamp: String(Date.parse(settledAt)),
  };
}
