import type { MysqlPool, MysqlPoolConnection } from 'kysely';
import { z } from 'zod';
import { isDatabaseUnavailable } from './bounded.ts';
import { isConnectionLost } from './retry.ts';
import { UnsafeDatabaseError } from './unsafe-database.ts';

/*
 * What a session does with our statements must not depend on how somebody has configured the server. A value in quotes
 * ends at another place under NO_BACKSLASH_ESCAPES, ANSI_QUOTES makes a name of a text, and without a strict mode values are cut.
 */

const MODES = [
  'ERROR_FOR_DIVISION_BY_ZERO',
  'NO_ENGINE_SUBSTITUTION',
  'NO_ZERO_DATE',
  'NO_ZERO_IN_DATE',
  'ONLY_FULL_GROUP_BY',
  'STRICT_ALL_TABLES',
  'STRICT_TRANS_TABLES',
];

/** Every variable that is set, with the value that must be read back. */
const VARIABLES: Readonly<Record<string, string>> = {
  sql_mode: MODES.join(','),
  time_zone: '+00:00',
  autocommit: '1',
  completion_type: 'NO_CHAIN',
  sql_auto_is_null: '0',
  default_storage_engine: 'InnoDB',
  innodb_lock_wait_timeout: '5',
};

/** Set by `SET NAMES` and read back: in GBK or SJIS the second byte of a character may be a quote or a backslash. */
const CHARACTER_SETS = ['character_set_client', 'character_set_connection', 'character_set_results'];

/** One round trip. No value of a request is in it, so it means the same under every mode. */
const PINNING = [
  // The guarded updates need no gap locks, and those are what deadlocks come from.
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  'SET NAMES utf8mb4',
  `SET ${Object.entries(VARIABLES)
    .map(([name, value]) => `SESSION ${name} = ${/^\d+$/.test(value) ? value : `'${value}'`}`)
    .join(', ')}`,
  `SELECT VERSION() AS version, ${[...Object.keys(VARIABLES), ...CHARACTER_SETS]
    .map((name) => `@@SESSION.${name} AS ${name}`)
    .join(', ')}`,
].join(';\n');

/** A server that takes longer than that to answer {@link PINNING}, in milliseconds, counts as one that does not answer. */
const PINNING_TIMEOUT_MS = 2_000;

/** The first versions that enforce CHECK constraints and know CREATE TRIGGER IF NOT EXISTS. */
const OLDEST = { MySQL: [8, 0, 29], MariaDB: [10, 6, 0] } as const;

/**
 * A pool that hands out no connection before its session has been set to the modes that this project is written for, and
 * they have been read back. A connection on which that fails is closed, and its taker gets an
 * {@link UnsafeDatabaseError}, or the error of a server that cannot be reached.
 */
export function pinningSessions(pool: MysqlPool): MysqlPool {
  const pinned = new WeakSet<MysqlPoolConnection>();
  const take = (callback: Parameters<MysqlPool['getConnection']>[0], isRepeated: boolean) => {
    pool.getConnection((error, connection) => {
      if (error || pinned.has(connection)) return callback(error, connection);
      pin(connection).then(
        () => {
          pinned.add(connection);
          callback(null, connection);
        },
        (reason: unknown) => {
          connection.destroy();
          // Nothing was asked of it yet, so its loss is nobody's business.
          if (isConnectionLost(reason) && !isRepeated) take(callback, true);
          else callback(reason, connection);
        },
      );
    });
  };
  return { getConnection: (callback) => take(callback, false), end: (callback) => pool.end(callback) };
}

const valueSchema = z.union([z.string(), z.number(), z.bigint()]).transform(String);
const answerSchema = z
  .array(z.unknown())
  .transform((answers) => answers.at(-1))
  .pipe(z.tuple([z.record(z.string(), valueSchema)]))
  .transform(([row]) => row);

async function pin(connection: MysqlPoolConnection): Promise<void> {
  const found = answerSchema.parse(await ask(connection));
  const { version = '' } = found;
  if (!isSafeVersion(version)) {
    const wanted = `MySQL ${OLDEST.MySQL.join('.')} or later, or MariaDB ${OLDEST.MariaDB.join('.')} or later`;
    throw new UnsafeDatabaseError('version', version, wanted);
  }
  for (const [name, wanted] of Object.entries(VARIABLES)) {
    const actual = found[name] ?? '';
    if (inOrder(actual) !== inOrder(wanted)) throw new UnsafeDatabaseError(name, actual, wanted);
  }
  for (const name of CHARACTER_SETS) {
    if (found[name] !== 'utf8mb4') throw new UnsafeDatabaseError(name, found[name] ?? '', 'utf8mb4');
  }
}

function ask(connection: MysqlPoolConnection): Promise<unknown> {
  const answer = Promise.withResolvers<unknown>();
  const expiry = setTimeout(() => {
    const error = new Error(`the database did not set up a session within ${PINNING_TIMEOUT_MS} ms`);
    answer.reject(Object.assign(error, { code: 'PROTOCOL_SEQUENCE_TIMEOUT' }));
  }, PINNING_TIMEOUT_MS);
  connection.query(PINNING, [], (error, result) => {
    if (!error) return answer.resolve(result);
    const wanted = Object.entries(VARIABLES).map(([name, value]) => `${name}=${value}`);
    const message = error instanceof Error ? error.message : String(error);
    answer.reject(
      isDatabaseUnavailable(error)
        ? error
        : new UnsafeDatabaseError('the session', `not settable (${message})`, wanted.join(' '), error),
    );
  });
  return answer.promise.finally(() => clearTimeout(expiry));
}

/** Servers order the modes each in a way of their own. */
function inOrder(list: string): string {
  return list.toLowerCase().split(',').sort().join();
}

function isSafeVersion(version: string): boolean {
  const oldest = OLDEST[version.includes('MariaDB') ? 'MariaDB' : 'MySQL'];
  // MariaDB before 11 puts a 5.5.5- in front for old replicas.
  const numbers = /^(?:5\.5\.5-)?(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (!numbers) return false;
  const first = oldest.findIndex((number, index) => numbers[index] !== number);
  return first === -1 || (numbers[first] ?? 0) > (oldest[first] ?? 0);
}
