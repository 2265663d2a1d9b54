import { setTimeout as sleep } from 'node:timers/promises';
import { CompressionTypes, type Kafka, type Producer } from 'kafkajs';
import type { Logger } from 'pino';
import type { BillingChange } from '../domain/billing.ts';
import { BILLING_TOPIC } from '../domain/names.ts';
import { toMessage } from './event.ts';
import { ensureTopic, type KafkaOptions, openKafka, type TopicOptions } from './kafka.ts';

const LARGEST_BATCH = 500;
/** Pause between two looks whether Kafka is back, in milliseconds. */
const PAUSE_MS = 2_000;
/** The broker has lost track of this producer; a new one can go on at once. */
const FATAL_CODES = new Set([45, 59]);

/** Publishes billing events. */
export interface BillingPublisher {
  /**
   * Resolves when the event is safe on all in-sync replicas. Rejects when it is not within the time, and at once while
   * Kafka is known to be down. A rejected event may have arrived all the same; by its id consumers recognise repeats.
   */
  publish(change: BillingChange, options: { timeoutMs: number }): Promise<void>;
  /**
   * Connects before there is an event, so that the first one need not wait for it. Resolves when that is done, or has
   * failed as an event would have.
   */
  connect(): Promise<void>;
  /** Sends what is waiting, then disconnects. */
  close(): Promise<void>;
}

/** Kafka did not accept the event; `cause` says why, unless an earlier failure was reason enough not to try. */
export class BillingUnavailableError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'BillingUnavailableError';
  }
}

/** Options of {@link createBillingPublisher}. */
export interface BillingPublisherOptions extends KafkaOptions {
  /** How the topic is made when it is missing. */
  topic?: TopicOptions;
}

/** Makes a publisher; it connects with the first event, if not before. */
export function createBillingPublisher(options: BillingPublisherOptions): BillingPublisher {
  return new KafkaBillingPublisher(openKafka(options), options.logger, options.topic);
}

interface Entry {
  change: BillingChange;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * One send at a time, since the idempotent producer of kafkajs breaks on concurrent ones; what comes up meanwhile goes
 * together in the next. After a failure every event is rejected at once until Kafka can be reached again, which no event has
 * to wait for: a publisher that is down looks by itself.
 */
class KafkaBillingPublisher implements BillingPublisher {
  readonly #kafka: Kafka;
  readonly #logger: Logger;
  readonly #topic: TopicOptions | undefined;
  #producer: Producer | null = null;
  #queue: Entry[] = [];
  #sending: Promise<void> | null = null;
  /** Looks for a Kafka that is down; null while it works. */
  #recovery: AbortController | null = null;
  #closed = false;

  constructor(kafka: Kafka, logger: Logger, topic: TopicOptions | undefined) {
    this.#kafka = kafka;
    this.#logger = logger;
    this.#topic = topic;
  }

  publish(change: BillingChange, { timeoutMs }: { timeoutMs: number }): Promise<void> {
    if (this.#closed) return Promise.reject(new BillingUnavailableError('the publisher is closed'));
    if (this.#recovery) {
      return Promise.reject(new BillingUnavailableError('Kafka is down: an earlier event could not be published'));
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry: Entry = { change, resolve, reject };
    const timer = setTimeout(() => {
      this.#queue = this.#queue.filter((waiting) => waiting !== entry);
      this.#recover();
      reject(new BillingUnavailableError(`Kafka did not answer within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#queue.push(entry);
    this.#sending ??= this.#sendAll();
    return promise.finally(() => clearTimeout(timer));
  }

  async connect(): Promise<void> {
    if (this.#closed || this.#recovery || this.#producer) return;
    this.#sending ??= this.#connectFirst().then(() => this.#sendAll());
    await this.#sending;
  }

  /** A batch without events has the producer learn all that it needs for the first one. */
  async #connectFirst(): Promise<void> {
    try {
      await this.#send([]);
    } catch (error) {
      this.#logger.warn({ err: error }, 'Kafka cannot be reached yet');
      this.#recover();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endRecovery();
    await this.#sending;
    await this.#producer?.disconnect();
    this.#producer = null;
  }

  async #sendAll(): Promise<void> {
    // In a later turn, so that events that come up together go together, and `#sending` is set by then.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, LARGEST_BATCH);
      try {
        await this.#send(batch.map(({ change }) => change));
        this.#endRecovery();
        for (const entry of batch) entry.resolve();
      } catch (cause) {
        this.#logger.warn(
          { err: cause, events: batch.length + this.#queue.length },
          'billing events could not be published',
        );
        this.#recover();
        const error = new BillingUnavailableError('Kafka did not accept the event', cause);
        for (const entry of [...batch, ...this.#queue.splice(0)]) entry.reject(error);
      }
    }
    this.#sending = null;
  }

  async #send(changes: BillingChange[]): Promise<void> {
    try {
      await this.#sendOnce(changes);
    } catch (error) {
      await this.#dropProducer();
      if (!FATAL_CODES.has(codeOf(error) ?? 0)) throw error;
      await this.#sendOnce(changes);
    }
  }

  async #sendOnce(changes: BillingChange[]): Promise<void> {
    this.#producer ??= await this.#connect();
    await this.#producer.sendBatch({
      acks: -1,
      timeout: 2_000,
      compression: CompressionTypes.None,
      topicMessages: [{ topic: BILLING_TOPIC, messages: changes.map(toMessage) }],
    });
  }

  async #connect(): Promise<Producer> {
    await ensureTopic(this.#kafka, this.#topic);
    const producer = this.#kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 300 },
    });
    await producer.connect();
    return producer;
  }

  /**
   * After any failure: whether the broker has counted the last batch is unknown then, and a producer that counts
   * differently would have its next batch taken for a repeat.
   */
  async #dropProducer(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    await producer?.disconnect().catch(() => undefined);
  }

  #recover(): void {
    if (this.#recovery || this.#closed) return;
    this.#recovery = new AbortController();
    void this.#untilReached(this.#recovery.signal);
  }

  #endRecovery(): void {
    this.#recovery?.abort();
    this.#recovery = null;
  }

  async #untilReached(signal: AbortSignal): Promise<void> {
    for (;;) {
      await sleep(PAUSE_MS, null, { signal }).catch(() => {});
      // It may be on its way still, and then says more than a new connection could.
      await this.#sending;
      if (signal.aborted) return;
      const producer = await this.#connect().catch(() => null);
      if (!producer) continue;
      if (signal.aborted) return producer.disconnect();
      this.#producer = producer;
      return this.#endRecovery();
    }
  }
}

/** The Kafka error code somewhere in the chain of causes; null when there is none. */
function codeOf(error: unknown): number | null {
  for (let current = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'number') return current.code;
  }
  return null;
}
