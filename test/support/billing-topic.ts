import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { inject, onTestFinished } from 'vitest';
import { z } from 'zod';
import { parseJson } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';

const cloudEventSchema = z.looseObject({ id: z.string(), type: z.string(), time: z.string() });

/** A message of the billing topic as a plain consumer sees it. */
export interface TopicMessage {
  partition: number;
  key: string;
  headers: Record<string, string>;
  event: z.infer<typeof cloudEventSchema>;
}

/** Reads the billing topic as any consumer would, without a line of this project's billing code. */
export class TopicReader {
  readonly #messages: TopicMessage[];

  constructor(messages: TopicMessage[]) {
    this.#messages = messages;
  }

  /** Everything read by now. */
  get all(): readonly TopicMessage[] {
    return this.#messages;
  }

  /** Everything read by now about an address, in order. */
  about(address: string): TopicMessage[] {
    return this.#messages.filter(({ key }) => key === address);
  }

  /** Waits until so many different events about an address have come; answers all messages about it. */
  async settled(address: string, count: number): Promise<TopicMessage[]> {
    return until(`${count} billing events about ${address} were on the topic`, async () => {
      const messages = this.about(address);
      return new Set(messages.map(({ event }) => event.id)).size >= count && messages;
    });
  }
}

/** A reader of the whole topic from its beginning, for the running test. */
export async function useTopicReader(brokers = inject('environment').kafkaBrokers): Promise<TopicReader> {
  const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 100, retry: { retries: 20 } });
  const messages: TopicMessage[] = [];
  onTestFinished(() => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topic: 'billing.reserved-ip.v1', fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message: { key, value, headers } }) => {
      const event = cloudEventSchema.safeParse(parseJson(String(value)));
      if (!event.success) return;
      const textHeaders = Object.entries(headers ?? {}).map(([name, content]) => [name, String(content)]);
      messages.push({ partition, key: String(key), headers: Object.fromEntries(textHeaders), event: event.data });
    },
  });
  return new TopicReader(messages);
}
