import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '../../../db/database.ts';
import type { DroppingProxy } from '../../environment/dropping-proxy.ts';
import { signalGroup } from '../../environment/processes.ts';
import type { TimedAnswer } from '../http.ts';

/** Of all measured requests, those that a fault is made around; and of all insertions of actions, those that deadlock. */
const SHARE = 0.05;
/** How long a slow inner service does not answer. */
const SLOW_MS = 1_000;
/** Longer than the 2 s after which both upstreams give a request to Kafka up. */
const KAFKA_SILENT_MS = 2_500;
/** A dropped connection is that of one of the first statements, so that most requests have one so late. */
const LAST_STATEMENT = 4;

export const FAULT_KINDS = ['lost connection', 'deadlock', 'Kafka time-out', 'slow service'] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** What the faults of one upstream are made with. */
export interface FaultTargets {
  /** The upstream's way to MySQL. */
  mysql: DroppingProxy;
  kafkaPid: number;
  /** The process that a request waits for besides MySQL: the session and inventory services, or Temporal. */
  servicePid: number;
}

/**
 * Sends a request; one in twenty with a transient fault around it, of all kinds equally often. Answers also which. Deadlocks
 * are not made here but by {@link withDeadlocks}, at random too, so that one in four of these requests has none.
 */
export async function amongFaults(
  { mysql, kafkaPid, servicePid }: FaultTargets,
  random: () => number,
  send: () => Promise<TimedAnswer>,
): Promise<{ answer: TimedAnswer; kind: FaultKind | null }> {
  if (random() >= SHARE) return { answer: await send(), kind: null };
  const kind = FAULT_KINDS[Math.floor(random() * FAULT_KINDS.length)] ?? 'deadlock';
  switch (kind) {
    case 'lost connection': {
      void mysql.dropNext({ afterStatements: Math.floor(random() * (LAST_STATEMENT + 1)) });
      const answer = await send();
      mysql.disarm();
      return { answer, kind };
    }
    case 'Kafka time-out':
      return { answer: await whileSilent(kafkaPid, KAFKA_SILENT_MS, send), kind };
    case 'slow service':
      return { answer: await whileSilent(servicePid, SLOW_MS, send), kind };
    case 'deadlock':
      return { answer: await send(), kind: null };
  }
}

/** Stops a process for a time, and sends the request in it. */
async function whileSilent(pid: number, ms: number, send: () => Promise<TimedAnswer>): Promise<TimedAnswer> {
  signalGroup(pid, 'SIGSTOP');
  try {
    const [answer] = await Promise.all([send(), sleep(ms).then(() => signalGroup(pid, 'SIGCONT'))]);
    return answer;
  } finally {
    signalGroup(pid, 'SIGCONT');
  }
}

const TRIGGER = 'bench_deadlocks';

/**
 * While `run` goes on, one in eighty insertions of an action (a quarter of one in twenty) is answered as InnoDB answers the
 * victim of a deadlock. Made by the server itself, because deadlocks that are provoked meet one upstream more often than the
 * other, by the order in which it locks.
 */
export async function withDeadlocks<Result>(db: Database, run: () => Promise<Result>): Promise<Result> {
  await sql`
    CREATE TRIGGER ${sql.id(TRIGGER)} BEFORE INSERT ON actions FOR EACH ROW
    BEGIN
      IF RAND() < ${sql.lit(SHARE / FAULT_KINDS.length)} THEN
        SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213,
          MESSAGE_TEXT = 'Deadlock found when trying to get lock; try restarting transaction';
      END IF;
    END`.execute(db);
  try {
    return await run();
  } finally {
    await sql`DROP TRIGGER ${sql.id(TRIGGER)}`.execute(db);
  }
}
