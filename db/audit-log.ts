import type { Compilable } from 'kysely';
import type { Requester } from '../domain/requester.ts';
import { queryLimit } from './bounded.ts';
import type { Database, DatabaseTransaction } from './database.ts';
import type { AuditOutcome } from './schema.ts';
import { type Statement, statement } from './statement.ts';
import { inLongTransaction, inTransaction, type LongTransactionOptions } from './transaction.ts';

const LONGEST_SUBJECT = 255;
const LONGEST_DETAIL = 255;

/** What is written about one change: who asked for it, what it was, about what, and its outcome. */
export interface NewAuditEntry {
  requester: Requester;
  accountId: number | null;
  /** A verb, or for a request that came to nothing its method and route. */
  action: string;
  subject: string;
  outcome: AuditOutcome;
  detail: string | null;
  operationId: string | null;
}

/** An entry as it stands. */
export interface AuditEntry extends NewAuditEntry {
  id: number;
  at: Date;
}

/** The statement that appends an entry, whose detail the database may put together. */
export function appendEntryQuery(
  entry: Omit<NewAuditEntry, 'detail'> & { detail: string | Statement<string> | null },
): Compilable {
  const { requester, detail } = entry;
  return statement`
    INSERT INTO audit_log
      (requester_kind, requester, request_id, remote, account_id, action, subject, outcome, detail, operation_id)
    VALUES (${requester.kind}, ${requester.name}, ${requester.requestId}, ${requester.remote}, ${entry.accountId},
            ${entry.action}, ${entry.subject.slice(0, LONGEST_SUBJECT)}, ${entry.outcome},
            ${typeof detail === 'string' ? detail.slice(0, LONGEST_DETAIL) : detail}, ${entry.operationId})`;
}

/** Appends an entry about a request that changed nothing. */
export async function appendEntry(db: Database, entry: NewAuditEntry): Promise<void> {
  await db.executeQuery(appendEntryQuery(entry), queryLimit());
}

/**
 * Makes a change and appends what `describe` says about it, in one transaction. When that is null nothing was changed,
 * and nothing is appended.
 */
export function recorded<Result>(
  db: Database,
  change: (tx: DatabaseTransaction) => Promise<Result>,
  describe: (result: Result) => NewAuditEntry | null,
): Promise<Result> {
  return inTransaction(db, (tx) => changeAndAppend(tx, change, describe));
}

/** The same for a change that takes long and tells hosts nothing. */
export function recordedLong<Result>(
  db: Database,
  change: (tx: Database) => Promise<Result>,
  describe: (result: Result) => NewAuditEntry | null,
  options: LongTransactionOptions,
): Promise<Result> {
  return inLongTransaction(db, (tx) => changeAndAppend(tx, change, describe), options);
}

async function changeAndAppend<Tx extends Database, Result>(
  tx: Tx,
  change: (tx: Tx) => Promise<Result>,
  describe: (result: Result) => NewAuditEntry | null,
): Promise<Result> {
  const result = await change(tx);
  const entry = describe(result);
  if (entry) await tx.executeQuery(appendEntryQuery(entry));
  return result;
}

/** Which entries to read: the newest first, at most `limit`. */
export interface AuditFilter {
  subject?: string | undefined;
  accountId?: number | undefined;
  since?: Date | undefined;
  until?: Date | undefined;
  /** Only entries with a lower number, to go on where an earlier reading ended. */
  before?: number | undefined;
  limit: number;
}

/** Reads the log. */
export async function listEntries(db: Database, filter: AuditFilter): Promise<AuditEntry[]> {
  let query = db.selectFrom('audit_log').selectAll().orderBy('id', 'desc').limit(filter.limit);
  if (filter.subject !== undefined) query = query.where('subject', '=', filter.subject);
  if (filter.accountId !== undefined) query = query.where('account_id', '=', filter.accountId);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<', filter.until);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  const rows = await query.execute(queryLimit());
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    requester: { kind: row.requester_kind, name: row.requester, requestId: row.request_id, remote: row.remote },
    accountId: row.account_id,
    action: row.action,
    subject: row.subject,
    outcome: row.outcome,
    detail: row.detail,
    operationId: row.operation_id,
  }));
}
