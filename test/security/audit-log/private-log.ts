import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { onTestFinished } from 'vitest';
import { appendEntry, type NewAuditEntry } from '../../../db/audit-log.ts';
import { type Database, openDatabase } from '../../../db/database.ts';
import { STATEMENTS } from '../../../db/migrations/0006-audit-log-chain.ts';
import { PROJECT_FOLDER } from '../../../dev/environment/paths.ts';
import type { PrivateServer } from '../../support/mysql-servers.ts';
import { createDatabase } from '../../support/private-environment.ts';

/** An audit log in a database of its own, as the one who owns it sees it: the migration's user, or a thief of its rights. */
export interface PrivateLog {
  db: Database;
  url: string;
}

/** Makes a database for the running test. */
export async function usePrivateLog(server: PrivateServer): Promise<PrivateLog> {
  const url = await createDatabase(server.url);
  const db = openDatabase({ url, poolSize: 8 });
  onTestFinished(() => db.destroy());
  return { db, url };
}

/** What an entry of the tests says. */
export function entryAbout(subject: string): NewAuditEntry {
  const requester = { kind: 'admin' as const, name: null, requestId: 'r-1', remote: '192.0.2.1' };
  return {
    requester,
    accountId: null,
    action: 'put region',
    subject,
    outcome: 'done',
    detail: null,
    operationId: null,
  };
}

/** Appends entries as the application does. */
export async function append(db: Database, subjects: string[]): Promise<void> {
  for (const subject of subjects) await appendEntry(db, entryAbout(subject));
}

const TRIGGERS = [
  'audit_log_insert',
  'audit_log_numbered',
  'audit_log_no_update',
  'audit_log_no_delete',
  'audit_log_chain_insert',
  'audit_log_chain_no_update',
  'audit_log_chain_no_delete',
];

/** Does what only the owner of the tables can: without their triggers, which are there again afterwards. */
export async function withoutTriggers(db: Database, work: () => Promise<unknown>): Promise<void> {
  for (const name of TRIGGERS) await sql`DROP TRIGGER IF EXISTS ${sql.id(name)}`.execute(db);
  await work();
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  for (const change of ['UPDATE', 'DELETE']) {
    await sql
      .raw(
        `CREATE TRIGGER audit_log_no_${change.toLowerCase()} BEFORE ${change} ON audit_log FOR EACH ROW
         SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'audit_log is append-only'`,
      )
      .execute(db);
  }
}

/** Puts entries of an hour ago into the log, such as are there before the chain is, and old enough to be sealed. */
export async function putOldEntries(db: Database, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await withoutTriggers(db, async () => {
    for (let first = 0; first < count; first += 500) {
      const rows = numbers
        .slice(first, first + 500)
        .map((number) => sql`('admin', 'put region', ${`region ${number}`}, 'done', NOW(3) - INTERVAL 1 HOUR)`);
      await sql`INSERT INTO audit_log (requester_kind, action, subject, outcome, at) VALUES ${sql.join(rows)}`.execute(
        db,
      );
    }
  });
}

/** Makes the user of the application as docs/running.md says, and opens the database as that user. */
export async function useApplicationUser(log: PrivateLog): Promise<Database> {
  const text = await readFile(join(PROJECT_FOLDER, 'docs', 'running.md'), 'utf8');
  const block = /```sql\n(CREATE USER[^`]*)```/.exec(text)?.[1];
  if (block === undefined) throw new Error('docs/running.md does not say how to make the user');
  const url = new URL(log.url);
  const name = url.pathname.slice(1);
  const user = `app_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(12).toString('hex');
  const statements = block
    .replaceAll("'reserved_ip_app'@'%'", `'${user}'@'127.0.0.1'`)
    .replaceAll('ON reserved_ip.', `ON ${name}.`)
    .replace("'…'", `'${password}'`)
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
  for (const statement of statements) await sql.raw(statement).execute(log.db);
  url.username = user;
  url.password = password;
  const db = openDatabase({ url: url.href, poolSize: 4 });
  onTestFinished(() => db.destroy());
  return db;
}
