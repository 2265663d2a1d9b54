import type { Compilable } from 'kysely';
import type { Operation } from '../domain/operation.ts';
import type { Requester } from '../domain/requester.ts';
import type { Verdict } from '../domain/verdict.ts';
import { queryLimit } from './bounded.ts';
import type { Database, DatabaseTransaction } from './database.ts';
import type { AuditOutcome } from './schema.ts';
import { inTransaction } from './transaction.ts';

const LONGEST_SUBJECT = 255;
const LONGEST_DETAIL = 255;

/** What is written about one change: who asked for it, what it was, about what, and what came of it. */
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

/** The statement that appends an entry. */
export function appendingEntry(db: Database, entry: NewAuditEntry) {
  return db.insertInto('audit_log').values({
    requester_kind: entry.requester.kind,
    requester: entry.requester.name,
    request_id: entry.requester.requestId,
    remote: entry.requester.remote,
    account_id: entry.accountId,
    action: entry.action,
    subject: entry.subject.slice(0, LONGEST_SUBJECT),
    outcome: entry.outcome,
    detail: entry.detail?.slice(0, LONGEST_DETAIL) ?? null,
    operation_id: entry.operationId,
  });
}

/** Appends an entry about a request that changed nothing. */
export async function appendEntry(db: Database, entry: NewAuditEntry): Promise<void> {
  await appendingEntry(db, entry).execute(queryLimit());
}

/**
 * Makes a change and appends what `describe` says about it, in one transaction. When that is null nothing was changed,
 * and nothing is appended.
 */
export function recorded<Result>(
  db: Database,
  change: (tx: DatabaseTransaction) => Promise<Result>,
  describe: (result: Result) => NewAuditEntry | null,
  attempts?: number,
): Promise<Result> {
  const work = async (tx: DatabaseTransaction) => {
    const result = await change(tx);
    const entry = describe(result);
    if (entry) await appendingEntry(tx, entry).execute();
    return result;
  };
  return inTransaction(db, work, attempts);
}

/**
 * The writes that record the verdict on an operation, for its own transaction. A refused request of the API is recorded
 * by the API, which refuses many without an operation.
 */
export function recordingVerdict(tx: DatabaseTransaction, operation: Operation, verdict: Verdict): Compilable[] {
  const { requestedBy: requester } = operation;
  if (!requester || (verdict.kind === 'refused' && requester.kind === 'token')) return [];
  const outcome =
    verdict.kind === 'admitted'
      ? { subject: verdict.address, outcome: 'done' as const, detail: detailOf(operation, verdict.actionId) }
      : { subject: subjectOf(operation), outcome: 'refused' as const, detail: verdict.refusal };
  const { kind: action, id: operationId, accountId } = operation;
  return [appendingEntry(tx, { requester, accountId, action, operationId, ...outcome })];
}

function detailOf(operation: Operation, actionId: number): string {
  const droplet = operation.kind === 'assign' ? `, droplet ${operation.dropletId}` : '';
  return `action ${actionId}${droplet}`;
}

function subjectOf(operation: Operation): string {
  return operation.kind === 'reserve' ? (operation.target.region ?? 'reserve') : operation.address;
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
