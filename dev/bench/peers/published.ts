import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { z } from 'zod';
import { BILLING_TOPIC } from '../../../domain/names.ts';

/** As many as the control plane makes for its own topic. */
const PARTITIONS = 6;

const eventSchema = z.object({ id: z.string(), data: z.object({ action_id: z.int() }) });

interface Waiting {
  resolve(): void;
  timer: NodeJS.Timeout;
}

/** Reads the topics of all peers, and says when an operation's event can be read. */
export class PublishedEvents {
  readonly #consumer: Consumer;
  /** How often each event was seen, by topic and id. */
  readonly #seen = new Map<string, number>();
  readonly #waiting = new Map<string, Waiting>();

  private constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  /** Makes the topics that are missing, and reads them from the beginning. */
  static async open(brokers: string[], topics: readonly string[]): Promise<PublishedEvents> {
    // What matters reaches the caller as an error.
    const kafka = new Kafka({ clientId: 'bench-peers', brokers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    try {
      const existing = await admin.listTopics();
      const missing = topics.filter((topic) => !existing.includes(topic));
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor: 1 })),
      });
    } finally {
      await admin.disconnect();
    }
    const events = new PublishedEvents(kafka.consumer({ groupId: 'bench-peers' }));
    await events.#read(topics);
    return events;
  }

  /**
   * Resolves when an event of this id can be read.
   *
   * @throws {Error} after `timeoutMs` without it.
   */
  seen(topic: string, id: string, timeoutMs: number): Promise<void> {
    const key = `${topic}/${id}`;
    if (this.#seen.has(key)) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      this.#waiting.delete(key);
      reject(new Error(`no event of ${key} within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#waiting.set(key, { resolve, timer });
    return promise;
  }

  /** How many events of this id there are. */
  count(topic: string, id: string): number {
    return this.#seen.get(`${topic}/${id}`) ?? 0;
  }

  async close(): Promise<void> {
    for (const { timer } of this.#waiting.values()) clearTimeout(timer);
    await this.#consumer.disconnect();
  }

  async #read(topics: readonly string[]): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [...topics], fromBeginning: true });
    const joined = new Promise<void>((resolve) => {
      this.#consumer.on('consumer.group_join', () => resolve());
    });
    await this.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, message }) => this.#take(topic, message.value?.toString() ?? ''),
    });
    await joined;
  }

  #take(topic: string, text: string): void {
    const event = eventSchema.parse(JSON.parse(text));
    // The control plane's callers know the action; the peers' callers have chosen the id.
    const key = `${topic}/${topic === BILLING_TOPIC ? event.data.action_id : event.id}`;
    this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
    const waiting = this.#waiting.get(key);
    if (!waiting) return;
    this.#waiting.delete(key);
    clearTimeout(waiting.timer);
    waiting.resolve();
  }
}
