import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listEntries } from '../../../db/audit-log.ts';
import { databaseTime } from '../../../db/checked-operations.ts';
import { type ChainAnchor, digestOf, nextBatch, writeAnchor, writeDigests } from '../../../domain/audit-log-chain.ts';
import { sealAuditLog, verifyAuditLog } from '../../../ops/audit-log/chain.ts';
import { isAvailable, type PrivateServer, type Product, startPrivateServer } from '../../support/mysql-servers.ts';
import { runProgram } from '../../support/program.ts';
import {
  append,
  type PrivateLog,
  putOldEntries,
  useApplicationUser,
  usePrivateLog,
  withoutTriggers,
} from './private-log.ts';

const COLUMNS = 'requester_kind, action, subject, outcome';
const VALUES = "'admin', 'put region', 'region forged', 'done'";

/** Nobody who can reach the database changes what was done without being found. */
export async function describeAuditLogChain(product: Product): Promise<void> {
  const available = await isAvailable(product);
  describe.skipIf(!available)(`the audit log on ${product}`, () => {
    let server: PrivateServer;
    beforeAll(async () => {
      server = await startPrivateServer(product);
    });
    afterAll(() => server?.close());

    /** A log with entries that are sealed, and what its anchor was then. */
    async function useSealedLog(count = 5): Promise<PrivateLog & { anchor: ChainAnchor }> {
      const log = await usePrivateLog(server);
      await putOldEntries(log.db, count);
      const { head } = await sealAuditLog({ db: log.db });
      if (!head) throw new Error('nothing was sealed');
      return { ...log, anchor: head };
    }

    test.each([
      ['names a time', `INSERT INTO audit_log (at, ${COLUMNS}) VALUES ('2020-01-01', ${VALUES})`],
      ['names a time to come', `INSERT INTO audit_log (at, ${COLUMNS}) VALUES ('2099-01-01', ${VALUES})`],
      [
        'has set the time of its session',
        `SET SESSION timestamp = 1577836800; INSERT INTO audit_log (${COLUMNS}) VALUES (${VALUES}); SET SESSION timestamp = DEFAULT`,
      ],
      ['copies', `INSERT INTO audit_log (at, ${COLUMNS}) SELECT '2020-01-01', ${VALUES}`],
      ['ignores errors', `INSERT IGNORE INTO audit_log (at, ${COLUMNS}) VALUES ('2020-01-01', ${VALUES})`],
    ])('gives an entry the time of the database when its INSERT %s', async (_, statement) => {
      const { db } = await usePrivateLog(server);
      const before = await databaseTime(db);
      await sql.raw(statement).execute(db);
      const after = await databaseTime(db);
      const [entry] = await listEntries(db, { limit: 1 });
      expect(entry).toMatchObject({ id: 1, subject: 'region forged' });
      expect(entry?.at.getTime()).toBeGreaterThanOrEqual(before.getTime());
      expect(entry?.at.getTime()).toBeLessThanOrEqual(after.getTime());
    });

    test.each([
      ['names a number', `INSERT INTO audit_log (id, ${COLUMNS}) VALUES (7, ${VALUES})`],
      ['names a number and ignores errors', `INSERT IGNORE INTO audit_log (id, ${COLUMNS}) VALUES (7, ${VALUES})`],
      ['replaces', `REPLACE INTO audit_log (id, ${COLUMNS}) VALUES (1, ${VALUES})`],
      [
        'updates what is there',
        `INSERT INTO audit_log (id, ${COLUMNS}) VALUES (1, ${VALUES}) ON DUPLICATE KEY UPDATE subject = 'x'`,
      ],
      [
        'keeps a zero',
        `SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'; INSERT INTO audit_log (id, ${COLUMNS}) VALUES (0, ${VALUES})`,
      ],
      [
        'has set the next number of its session',
        `SET SESSION insert_id = 9007199254740993; INSERT INTO audit_log (${COLUMNS}) VALUES (${VALUES})`,
      ],
      [
        'comes from a session in another zone',
        `SET SESSION time_zone = '+13:00'; INSERT INTO audit_log (${COLUMNS}) VALUES (${VALUES})`,
      ],
    ])('rejects an INSERT that %s', async (_, statement) => {
      const { db } = await usePrivateLog(server);
      await append(db, ['region one']);
      await db.connection().execute(async (session) => {
        await sql
          .raw(statement)
          .execute(session)
          .catch((error: unknown) => expect(String(error)).toMatch(/audit_log/));
        await sql`SET SESSION sql_mode = DEFAULT, SESSION time_zone = '+00:00', SESSION insert_id = 0`.execute(session);
      });
      expect(await listEntries(db, { limit: 10 })).toMatchObject([{ id: 1, subject: 'region one' }]);
    });

    test('takes entries and batches of the user of the application, but no time, number, change or drop', async () => {
      const log = await usePrivateLog(server);
      await putOldEntries(log.db, 3);
      const db = await useApplicationUser(log);
      await append(db, ['region one']);
      expect(await sealAuditLog({ db })).toMatchObject({ entries: 3, waiting: false });
      for (const statement of [
        `INSERT INTO audit_log (at, ${COLUMNS}) VALUES ('2020-01-01', ${VALUES})`,
        `INSERT INTO audit_log (id, ${COLUMNS}) VALUES (70, ${VALUES})`,
        'INSERT INTO audit_log_chain SELECT * FROM audit_log_chain',
        "UPDATE audit_log SET subject = 'x'",
        'DELETE FROM audit_log',
        'TRUNCATE audit_log',
        'DROP TRIGGER audit_log_insert',
        'ALTER TABLE audit_log AUTO_INCREMENT = 1000',
        'UPDATE audit_log_chain SET entries = 1',
        'DELETE FROM audit_log_chain',
        'DROP TABLE audit_log_chain',
      ]) {
        await expect(sql.raw(statement).execute(db), statement).rejects.toThrow(/denied/);
      }
      expect(await verifyAuditLog({ db: log.db })).toMatchObject({ entries: 3, unsealed: 1, finding: null });
    });

    test('has a chain that is not changed, shortened or continued wrongly', async () => {
      const { db } = await useSealedLog();
      for (const statement of ['UPDATE audit_log_chain SET entries = 1', 'DELETE FROM audit_log_chain']) {
        await expect(sql.raw(statement).execute(db)).rejects.toThrow('audit_log_chain is append-only');
      }
      const previous = await db.selectFrom('audit_log_chain').selectAll().executeTakeFirstOrThrow();
      const rows = [
        { number: 3, first_id: 6, previous_hash: previous.hash },
        { number: 2, first_id: 8, previous_hash: previous.hash },
        { number: 2, first_id: 6, previous_hash: Buffer.alloc(32) },
        { number: 0, first_id: 6, previous_hash: previous.hash },
      ];
      for (const row of rows) {
        const values = { ...row, last_id: 9, entries: 1, digests: Buffer.alloc(40), hash: Buffer.alloc(32) };
        await expect(db.insertInto('audit_log_chain').values(values).execute()).rejects.toThrow(
          /audit_log_chain|out of range/,
        );
      }
    });

    test('is whole when nobody has touched it, with entries that were there before the chain and many batches', async () => {
      const { db, anchor } = await useSealedLog(2_500);
      const report = { entries: 2_500, batches: 3, head: anchor, unsealed: 0, finding: null };
      expect(await verifyAuditLog({ db })).toEqual(report);
      expect(await verifyAuditLog({ db, anchor })).toMatchObject({ batches: 1, entries: 500, finding: null });
    });

    test.each([
      ['an entry was changed', "UPDATE audit_log SET subject = 'region 9' WHERE id = 3", /^entry 3 was changed/],
      ['a time was changed', 'UPDATE audit_log SET at = at - INTERVAL 1 DAY WHERE id = 2', /^entry 2 was changed/],
      ['an empty text took the place of none', "UPDATE audit_log SET detail = '' WHERE id = 4", /^entry 4 was changed/],
      ['an entry was removed', 'DELETE FROM audit_log WHERE id = 4', /^entry 4 of batch 1 is missing/],
      ['the last entry was removed', 'DELETE FROM audit_log WHERE id = 5', /^entry 5 of batch 1 is missing/],
      ['all were removed', 'DELETE FROM audit_log', /^entry 1 of batch 1 is missing/],
      [
        'two changed places',
        'UPDATE audit_log SET id = CASE id WHEN 2 THEN 103 ELSE 102 END WHERE id IN (2, 3); UPDATE audit_log SET id = id - 100 WHERE id > 100',
        /^entry 2 was changed/,
      ],
      [
        'one took the number of another',
        'DELETE FROM audit_log WHERE id = 1; UPDATE audit_log SET id = 1 WHERE id = 5',
        /^entry 1 was changed/,
      ],
      [
        'the list of a batch was changed',
        'UPDATE audit_log_chain SET digests = REPEAT(CHAR(1), 200)',
        /^batch 1 was changed/,
      ],
      [
        'the list was cut',
        'UPDATE audit_log_chain SET digests = LEFT(digests, 160), entries = 4',
        /^batch 1 was changed/,
      ],
      ['a hash was changed', 'UPDATE audit_log_chain SET hash = REPEAT(CHAR(1), 32)', /^batch 1 was changed/],
      ['a range was widened', 'UPDATE audit_log_chain SET last_id = 9', /^batch 1 was changed/],
    ])('is found not to be whole when %s', async (_, statement, finding) => {
      const { db, anchor } = await useSealedLog();
      await withoutTriggers(db, () => sql.raw(statement).execute(db));
      expect((await verifyAuditLog({ db })).finding).toMatch(finding);
      expect((await verifyAuditLog({ db, anchor })).finding).not.toBeNull();
    });

    test('is found not to be whole when an entry is put into a number that was left out', async () => {
      const { db } = await usePrivateLog(server);
      await putOldEntries(db, 5);
      await withoutTriggers(db, () => sql`DELETE FROM audit_log WHERE id = 3`.execute(db));
      await sealAuditLog({ db });
      expect(await verifyAuditLog({ db })).toMatchObject({ entries: 4, finding: null });
      await withoutTriggers(db, () =>
        sql.raw(`INSERT INTO audit_log (id, ${COLUMNS}) VALUES (3, ${VALUES})`).execute(db),
      );
      expect((await verifyAuditLog({ db })).finding).toMatch(/^entry 3 was added/);
    });

    test('is found not to be whole when its end was cut off, or all of it was sealed anew, by whoever has the anchor', async () => {
      const { db, anchor } = await useSealedLog(1_500);
      const cut = async () => {
        await sql`DELETE FROM audit_log WHERE id > 1000`.execute(db);
        await sql`DELETE FROM audit_log_chain WHERE number > 1`.execute(db);
      };
      await withoutTriggers(db, cut);
      expect((await verifyAuditLog({ db })).finding, 'without an anchor nobody can know').toBeNull();
      expect((await verifyAuditLog({ db, anchor })).finding).toMatch(/^batch 2 of the anchor is missing/);

      await withoutTriggers(db, async () => {
        await sql`DELETE FROM audit_log_chain`.execute(db);
        await sql`UPDATE audit_log SET subject = 'region forged' WHERE id = 7`.execute(db);
        await sql`INSERT INTO audit_log (id, requester_kind, action, subject, outcome, at)
          VALUES (1001, 'admin', 'put region', 'region forged', 'done', NOW(3) - INTERVAL 1 HOUR)`.execute(db);
      });
      await sealAuditLog({ db });
      expect((await verifyAuditLog({ db })).finding).toBeNull();
      expect((await verifyAuditLog({ db, anchor })).finding).toMatch(/^batch 2 has another hash than the anchor/);
    });

    test('is found when a batch in the middle is gone, or nobody seals', async () => {
      const { db } = await useSealedLog(2_500);
      await withoutTriggers(db, () => sql`DELETE FROM audit_log_chain WHERE number = 2`.execute(db));
      expect((await verifyAuditLog({ db })).finding).toBe('batch 2 is missing');
      await withoutTriggers(db, () => sql`DELETE FROM audit_log_chain`.execute(db));
      expect((await verifyAuditLog({ db })).finding).toMatch(/^entry 1 has not been sealed for 36\d\d s$/);
    });

    test('waits for a transaction that has written and not committed, and has no gap for one that was rolled back', async () => {
      const { db } = await usePrivateLog(server);
      const old = `INSERT INTO audit_log (${COLUMNS}, at) VALUES (${VALUES}, NOW(3) - INTERVAL 1 HOUR)`;
      await withoutTriggers(db, async () => {
        const [first, second] = [await db.startTransaction().execute(), await db.startTransaction().execute()];
        await sql.raw(old).execute(first);
        await sql.raw(old).execute(second);
        await sql.raw(old).execute(db);
        expect(await sealAuditLog({ db })).toEqual({ entries: 0, head: null, waiting: true });
        await second.rollback().execute();
        await first.commit().execute();
      });
      expect(await sealAuditLog({ db })).toMatchObject({ entries: 2, waiting: false });
      expect(await verifyAuditLog({ db })).toMatchObject({ entries: 2, finding: null });
    });

    test('is sealed by several processes at once as by one', async () => {
      const { db } = await usePrivateLog(server);
      await putOldEntries(db, 3_200);
      const reports = await Promise.all(Array.from({ length: 4 }, () => sealAuditLog({ db })));
      await sealAuditLog({ db });
      expect(reports.reduce((sum, { entries }) => sum + entries, 0)).toBeLessThanOrEqual(3_200);
      expect(await verifyAuditLog({ db })).toMatchObject({ entries: 3_200, unsealed: 0, finding: null });
    });

    test('leaves an entry of this moment to the next time', async () => {
      const { db } = await usePrivateLog(server);
      await append(db, ['region one']);
      expect(await sealAuditLog({ db })).toEqual({ entries: 0, head: null, waiting: false });
      expect(await verifyAuditLog({ db })).toMatchObject({ unsealed: 1, finding: null });
    });

    test('is still proved after its old part was put aside', async () => {
      const { db, anchor } = await useSealedLog(1_500);
      for (const statement of [
        'CREATE TABLE audit_log_next LIKE audit_log',
        'ALTER TABLE audit_log_next AUTO_INCREMENT = 101500',
        'RENAME TABLE audit_log TO audit_log_2026_11, audit_log_next TO audit_log',
      ])
        await sql.raw(statement).execute(db);
      await sealAuditLog({ db, table: 'audit_log_2026_11' });
      await sql`DROP TRIGGER audit_log_insert`.execute(db).catch(() => {});
      await sql`INSERT INTO audit_log (requester_kind, action, subject, outcome, at)
        VALUES ('admin', 'put region', 'region new', 'done', NOW(3) - INTERVAL 1 MINUTE)`.execute(db);
      expect(await sealAuditLog({ db })).toMatchObject({ entries: 1 });
      expect(await verifyAuditLog({ db, archivedThrough: 1_500 })).toMatchObject({ batches: 3, finding: null });
      expect(await verifyAuditLog({ db, anchor, archivedThrough: 1_500 })).toMatchObject({ batches: 2, finding: null });
      const archive = { db, table: 'audit_log_2026_11' as const, through: 1_500 };
      expect((await verifyAuditLog(archive)).finding).toBeNull();
      await sql`DROP TRIGGER audit_log_no_update`.execute(db);
      await sql`UPDATE audit_log_2026_11 SET subject = 'x' WHERE id = 1400`.execute(db);
      expect((await verifyAuditLog(archive)).finding).toMatch(/^entry 1400 was changed/);
    });

    test('is sealed and verified by a command, which prints an anchor and takes it again', async () => {
      const { db, url } = await usePrivateLog(server);
      await putOldEntries(db, 5);
      const run = (...words: string[]) =>
        runProgram('ops/audit-log/main.ts', words, { environment: { MYSQL_URL: url } });
      const sealed = await run('seal');
      expect(sealed).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^5 entries are sealed\nanchor 1:[0-9a-f]{64}\n$/),
      });
      const anchor = sealed.stdout.trim().split(' ').at(-1) ?? '';
      const verified = await run('verify', '--anchor', anchor);
      expect(verified).toMatchObject({
        code: 0,
        stdout: expect.stringContaining(`anchor ${anchor}\nthe audit log is whole`),
      });
      await withoutTriggers(db, () => sql`UPDATE audit_log SET outcome = 'refused' WHERE id = 2`.execute(db));
      expect(await run('verify')).toMatchObject({
        code: 1,
        stdout: expect.stringContaining('NOT WHOLE: entry 2 was changed'),
      });
      expect(await run('verify', '--anchor', 'nonsense')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('64 hexadecimal digits'),
      });
    });

    test('a false batch of somebody who may append to the chain is found', async () => {
      const { db, anchor } = await useSealedLog();
      await append(db, ['region one']);
      const [row] = await db.selectFrom('audit_log').selectAll().where('id', '=', 6).execute();
      if (!row) throw new Error('no entry');
      const digest = digestOf({ ...row, subject: 'region other' });
      const batch = nextBatch({ ...anchor, lastId: 5 }, [{ id: 6, digest }]);
      await db
        .insertInto('audit_log_chain')
        .values({
          number: batch.number,
          first_id: 6,
          last_id: 6,
          entries: 1,
          digests: writeDigests(batch.entries),
          previous_hash: anchor.hash,
          hash: batch.hash,
        })
        .execute();
      expect((await verifyAuditLog({ db, anchor })).finding).toMatch(/^entry 6 was changed/);
      expect(writeAnchor(batch)).toMatch(/^2:/);
    });
  });
}
