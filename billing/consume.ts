import { randomUUID } from 'node:crypto';
import kafkajs, { type Admin, type Consumer, type IHeaders, type KafkaMessage } from 'kafkajs';
import type { BillingChange } from '../domain/billing.ts';
import { BILLING_TOPIC } from '../domain/names.ts';
import { ServerUnreachableError } from '../platform/config/server-unreachable.ts';
import { fromMessage } from './event.ts';
import { type KafkaOptions, openKafka } from './kafka.ts';

/** The first group that a broker ever has is rejected for a while, until the broker is ready for groups. */
const RETRY = { retries: 12, initialRetryTime: 100, maxRetryTime: 1_000 };

/** Options of {@link readBillingEvents}. */
export interface ReadOptions extends KafkaOptions {
  /** Only messages that were published then or later; default all. */
  since?: Date;
  /** Longest time without any progress, in milliseconds; default 30,000. */
  stallMs?: number;
}

/** A message that is no billing event. */
export interface UnreadableMessage {
  partition: number;
  offset: string;
  reason: string;
}

/** Everything on the topic. */
export interface BillingEvents {
  /** As they were published: with repeats, in order for each address only. */
  changes: BillingChange[];
  unreadable: UnreadableMessage[];
}

/** A part of a partition: from an offset up to, and without, another. */
interface Range {
  start: bigint;
  end: bigint;
}

/**
 * Reads the billing topic, from its beginning or from a time, to what is its end now. A topic that does not exist is empty. Throws
 * a {@link ServerUnreachableError} when Kafka does not answer or does not let it read.
 */
export async function readBillingEvents(options: ReadOptions): Promise<BillingEvents> {
  try {
    return await readToTheEnd(options);
  } catch (error) {
    if (!(error instanceof kafkajs.KafkaJSError || error instanceof StalledError)) throw error;
    throw new ServerUnreachableError('Kafka', options.brokers.join(','), error);
  }
}

/** Kafka takes connections, and nothing comes. */
class StalledError extends Error {
  override readonly name = 'StalledError';
}

async function readToTheEnd({ since, stallMs = 30_000, ...options }: ReadOptions): Promise<BillingEvents> {
  const kafka = openKafka(options);
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ranges = await findRanges(admin, since);
    if (ranges.size === 0) return { changes: [], unreadable: [] };
    // kafkajs reads in groups only; this one is thrown away afterwards.
    const groupId = `billing-reader-${randomUUID()}`;
    const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: 200, retry: RETRY });
    try {
      return await readRanges(consumer, ranges, stallMs);
    } finally {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => undefined);
    }
  } finally {
    await admin.disconnect();
  }
}

/** What there is to read of each partition that has something. */
async function findRanges(admin: Admin, since: Date | undefined): Promise<Map<number, Range>> {
  if (!(await admin.listTopics()).includes(BILLING_TOPIC)) return new Map();
  const starts = since && (await admin.fetchTopicOffsetsByTimestamp(BILLING_TOPIC, since.getTime()));
  const offsets = await admin.fetchTopicOffsets(BILLING_TOPIC);
  const ranges = offsets.map(({ partition, low, high }): [number, Range] => {
    const start = starts?.find((entry) => entry.partition === partition)?.offset ?? low;
    return [partition, { start: BigInt(start), end: BigInt(high) }];
  });
  return new Map(ranges.filter(([, { start, end }]) => end > start));
}

async function readRanges(consumer: Consumer, ranges: Map<number, Range>, stallMs: number): Promise<BillingEvents> {
  const events: BillingEvents = { changes: [], unreadable: [] };
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  // Whether it fails is looked at further down, unless a call before that fails, and then the reading fails with it.
  finished.catch(() => {});
  const stall = setTimeout(() => reject(new StalledError(`it has sent nothing for ${stallMs} ms`)), stallMs);
  await consumer.connect();
  await consumer.subscribe({ topic: BILLING_TOPIC, fromBeginning: true });
  // A consumer that says it will restart goes on by itself; one that gets nowhere is ended by the stall.
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) reject(payload.error);
  });
  // Only a consumer that is in its group can seek, and it may have to join again.
  consumer.on(consumer.events.GROUP_JOIN, () => {
    for (const [partition, { start }] of ranges) {
      consumer.seek({ topic: BILLING_TOPIC, partition, offset: String(start) });
    }
  });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, heartbeat }) => {
      stall.refresh();
      const range = ranges.get(batch.partition);
      if (range === undefined) return;
      for (const message of batch.messages) {
        const offset = BigInt(message.offset);
        if (offset >= range.start && offset < range.end) collect(events, batch.partition, message);
      }
      if (BigInt(batch.lastOffset()) + 1n >= range.end) ranges.delete(batch.partition);
      if (ranges.size === 0) resolve();
      await heartbeat();
    },
  });
  await finished.finally(() => clearTimeout(stall));
  return events;
}

function collect(events: BillingEvents, partition: number, { key, value, headers, offset }: KafkaMessage): void {
  try {
    events.changes.push(fromMessage({ key, value, headers: textHeaders(headers ?? {}) }));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    events.unreadable.push({ partition, offset, reason });
  }
}

function textHeaders(headers: IHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]));
}
