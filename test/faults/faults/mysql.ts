import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { z } from 'zod';
import type { SeededRandom } from '../../../dev/kit/random.ts';
import { succeeds } from '../../../dev/kit/until.ts';
import type { FaultEnvironment } from '../environment.ts';

/** Rows that a transaction has written count in InnoDB's choice of a victim: it rolls back the lighter one. */
const WEIGHT = 400;
const KILL_PAUSE_MS = 150;
const SCRATCH = 'reserved_ip_faults';

/**
 * Locks the rows of droplets and addresses in the order opposite to the application's, in transactions so heavy that the
 * application's are the ones to be rolled back. Answers how many deadlocks there were.
 */
export async function causeDeadlocks(
  { mysqlUrl }: FaultEnvironment,
  random: SeededRandom,
  hold: () => Promise<void>,
): Promise<number> {
  return whileHeld(mysqlUrl, hold, async (connection, isOver) => {
    const before = await deadlocks(connection);
    await connection.query(`CREATE DATABASE IF NOT EXISTS ${SCRATCH}`);
    await connection.query(`CREATE TABLE IF NOT EXISTS ${SCRATCH}.weight (number INT)`);
    await connection.query('SET SESSION innodb_lock_wait_timeout = 1');
    while (!isOver()) await lockBackwards(connection, random).catch(ignoreRollback);
    return (await deadlocks(connection)) - before;
  });
}

/** Does something over a connection until the fault is over. */
async function whileHeld(
  uri: string,
  hold: () => Promise<void>,
  work: (connection: Connection, isOver: () => boolean) => Promise<number>,
): Promise<number> {
  const connection = await createConnection({ uri });
  // Where MySQL is killed meanwhile the connection breaks: that is the other fault's doing.
  connection.on('error', () => {});
  let over = false;
  const holding = hold().finally(() => {
    over = true;
  });
  try {
    return await work(connection, () => over);
  } finally {
    connection.destroy();
    await holding;
  }
}

async function lockBackwards(connection: Connection, random: SeededRandom): Promise<void> {
  await connection.query('BEGIN');
  try {
    const rows = Array.from({ length: WEIGHT }, (_, number) => `(${number})`).join(',');
    await connection.query(`INSERT INTO ${SCRATCH}.weight VALUES ${rows}`);
    await connection.query('SELECT id FROM droplets WHERE id % 2 = ? FOR UPDATE', [random.below(2)]);
    await sleep(20 + random.below(60));
    await connection.query('SELECT id FROM addresses WHERE state = ? FOR UPDATE', ['reserved']);
  } finally {
    await connection.query('ROLLBACK');
  }
}

/** Kills connections of the application, one after the other, whatever they are doing. Answers how many. */
export async function loseConnections(
  { mysqlUrl }: FaultEnvironment,
  random: SeededRandom,
  hold: () => Promise<void>,
): Promise<number> {
  return whileHeld(mysqlUrl, hold, async (connection, isOver) => {
    let killed = 0;
    while (!isOver()) {
      const [rows] = await connection.query<RowDataPacket[]>(
        'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND DB IS NOT NULL',
      );
      const ids = z.array(z.object({ id: z.coerce.number() })).parse(rows);
      // It may have ended by itself since.
      const isKilled = ids.length > 0 && (await succeeds(connection.query(`KILL CONNECTION ${random.from(ids).id}`)));
      if (isKilled) killed++;
      await sleep(KILL_PAUSE_MS);
    }
    return killed;
  });
}

async function deadlocks(connection: Connection): Promise<number> {
  // The status variable of that name is MariaDB's alone; this both products count by themselves.
  const [rows] = await connection.query<RowDataPacket[]>(
    "SELECT `COUNT` AS deadlocks FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_deadlocks'",
  );
  const [row] = z.tuple([z.object({ deadlocks: z.coerce.number() })]).parse(rows);
  return row.deadlocks;
}

function ignoreRollback(error: unknown): void {
  const { code } = z.object({ code: z.string().optional() }).parse(error);
  if (code !== 'ER_LOCK_DEADLOCK' && code !== 'ER_LOCK_WAIT_TIMEOUT') throw error;
}
