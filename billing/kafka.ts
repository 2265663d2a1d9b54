import { Kafka, type KafkaConfig, type LogEntry, logLevel } from 'kafkajs';
import type { Logger } from 'pino';
import { BILLING_TOPIC } from '../domain/names.ts';
import type { KafkaSettings } from '../platform/config/servers.ts';
import { secureContextOptions } from '../platform/config/tls.ts';

/** Options of {@link openKafka}. */
export interface KafkaOptions extends KafkaSettings {
  logger: Logger;
}

/** How the topic is made when it is missing. */
export interface TopicOptions {
  /** Default 6. */
  partitions?: number;
  /** Default 1, which suits a single broker only. */
  replicationFactor?: number;
}

/** A client that gives up after a second or two: whoever calls has a better place to wait. */
export function openKafka({ logger, ...settings }: KafkaOptions): Kafka {
  return new Kafka({
    clientId: 'reserved-ip',
    ...kafkaConnectionOptions(settings),
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    enforceRequestTimeout: true,
    retry: { retries: 2, initialRetryTime: 50, maxRetryTime: 300 },
    // What matters reaches the caller as an error.
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ namespace, log: { message, timestamp: _timestamp, logger: _logger, ...details } }: LogEntry) =>
        logger.debug({ namespace, details }, message),
  });
}

/** Where to connect, and by which certificates. */
export function kafkaConnectionOptions({ brokers, tls = null }: KafkaSettings): Pick<KafkaConfig, 'brokers' | 'ssl'> {
  return { brokers, ...(tls && { ssl: secureContextOptions(tls) }) };
}

/** Makes the billing topic unless it is there. Throws when Kafka does not answer. */
export async function ensureTopic(
  kafka: Kafka,
  { partitions = 6, replicationFactor = 1 }: TopicOptions = {},
): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    if ((await admin.listTopics()).includes(BILLING_TOPIC)) return;
    await admin.createTopics({
      waitForLeaders: true,
      topics: [
        {
          topic: BILLING_TOPIC,
          numPartitions: partitions,
          replicationFactor,
          // Statements and the consistency check read from the beginning; who keeps less must know what still needs it.
          configEntries: [{ name: 'retention.ms', value: '-1' }],
        },
      ],
    });
  } finally {
    await admin.disconnect();
  }
}
