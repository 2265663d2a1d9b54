import { Kafka, logLevel } from 'kafkajs';
import { sql } from 'kysely';
import type { Database } from '../../db/database.ts';
import { BILLING_TOPIC } from '../../domain/names.ts';
import type { BenchEnvironment } from './environment.ts';
import { type ProcessorTime, readProcessorTime, usedForEach } from './processes.ts';

/** What a deployment has used up to now. */
export interface Meter {
  at: number;
  mysqlQueries: number;
  kafkaMessages: number;
  cpuMs: ProcessorTime;
}

/** Reads all meters. */
export async function readMeter(environment: BenchEnvironment, db: Database): Promise<Meter> {
  const [mysqlQueries, kafkaMessages, cpuMs] = await Promise.all([
    countQueries(db),
    countMessages(environment.running.servers.kafkaBrokers.split(',')),
    readProcessorTime(environment.pids),
  ]);
  return { at: performance.now(), mysqlQueries, kafkaMessages, cpuMs };
}

/** What one operation costs, on average over those between two readings. */
export interface Costs {
  mysqlQueries: number;
  kafkaMessages: number;
  cpuMs: Record<string, number>;
}

/** What was used between two readings. */
export interface Usage extends Costs {
  seconds: number;
}

/** Subtracts two readings. */
export function usedBetween(before: Meter, after: Meter): Usage {
  return {
    seconds: (after.at - before.at) / 1_000,
    mysqlQueries: after.mysqlQueries - before.mysqlQueries,
    kafkaMessages: after.kafkaMessages - before.kafkaMessages,
    cpuMs: usedForEach(before.cpuMs, after.cpuMs, 1),
  };
}

/** Divides what was used by the operations done meanwhile; what the idle system asks of MySQL is left out. */
export function costsPerOperation(usages: Usage[], operations: number, idleQueriesPerSecond: number): Costs {
  const sum = (of: (usage: Usage) => number) => usages.reduce((total, usage) => total + of(usage), 0);
  const names = Object.keys(usages[0]?.cpuMs ?? {});
  return {
    mysqlQueries: sum((usage) => usage.mysqlQueries - idleQueriesPerSecond * usage.seconds) / operations,
    kafkaMessages: sum((usage) => usage.kafkaMessages) / operations,
    cpuMs: Object.fromEntries(names.map((name) => [name, sum((usage) => usage.cpuMs[name] ?? 0) / operations])),
  };
}

/** How many statements MySQL has been asked, by anyone. */
export async function countQueries(db: Database): Promise<number> {
  const { rows } = await sql<{ Value: string }>`SHOW GLOBAL STATUS LIKE 'Questions'`.execute(db);
  return Number(rows[0]?.Value ?? 0);
}

async function countMessages(brokers: string[]): Promise<number> {
  const admin = new Kafka({ brokers, logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  try {
    if (!(await admin.listTopics()).includes(BILLING_TOPIC)) return 0;
    const offsets = await admin.fetchTopicOffsets(BILLING_TOPIC);
    return offsets.reduce((sum, { high }) => sum + Number(high), 0);
  } finally {
    await admin.disconnect();
  }
}
