import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase, ping } from '../../db/database.ts';
import { UnsafeDatabaseError } from '../../db/unsafe-database.ts';
import { useChangedDatabase } from '../support/link.ts';
import { PROGRAMS_ON_MYSQL, runProgram } from '../support/program.ts';

/** A way to the MySQL of the run that changes one text for another of the same length, both ways; answers its URL. */
function useFalseProxy(text: string, otherText: string): Promise<string> {
  return useChangedDatabase((chunk) => Buffer.from(chunk.toString('latin1').replaceAll(text, otherText), 'latin1'));
}

const CASES = [
  ['sql_mode', 'NO_ZERO_DATE', 'IGNORE_SPACE'],
  ['character_set_client', 'SET NAMES utf8mb4', 'SET NAMES latin1 '],
  ['time_zone', "time_zone = '+00:00'", "time_zone = '+05:00'"],
  ['version', '11.4.', '10.4.'],
  ['the session', 'innodb_lock_wait_timeout =', 'innodb_lock_wait_timeoux ='],
] as const;

describe('a database that does not take what is set', () => {
  test.each(CASES)('is rejected for %s before any query is sent', async (subject, text, otherText) => {
    const db = openDatabase({ url: await useFalseProxy(text, otherText), poolSize: 2 });
    onTestFinished(() => db.destroy());
    const rejection = await ping(db, 5_000).catch((error: unknown) => error);
    expect(rejection).toBeInstanceOf(UnsafeDatabaseError);
    expect(rejection).toMatchObject({
      subject,
      message: expect.stringMatching(/^The database cannot be used safely: [^\n]*$/),
    });
  });

  test.each(PROGRAMS_ON_MYSQL)('keeps %s from starting, in one line', async (script) => {
    const { temporalAddress, kafkaBrokers, workflowBundle, adminToken } = inject('environment');
    const environment = {
      MYSQL_URL: await useFalseProxy('NO_ZERO_DATE', 'IGNORE_SPACE'),
      TEMPORAL_ADDRESS: temporalAddress,
      KAFKA_BROKERS: kafkaBrokers,
      WORKFLOW_BUNDLE: workflowBundle,
      ADMIN_TOKEN: adminToken,
      API_PORT: '0',
      API_URL: 'http://127.0.0.1:1',
      EDGE_PORT: '0',
      EDGE_FLAGS_FILE: '/nowhere/flags.json',
      LEGACY_URL: 'http://127.0.0.1:1',
      LEGACY_PORT: '0',
      LEGACY_SERVICES_URL: 'http://127.0.0.1:1',
      LEGACY_SERVICES_PORT: '0',
      LOG_LEVEL: 'silent',
    };
    const words = script.includes('audit-log') ? ['verify'] : [];
    const { code, stderr } = await runProgram(script, words, { environment });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^The database cannot be used safely: sql_mode is [^\n]*IGNORE_SPACE[^\n]*\n$/);
  });
});
