import { sql } from 'kysely';
import {
  type Batch,
  BEGINNING,
  type ChainAnchor,
  digestOf,
  type EntryDigest,
  nextBatch,
  readDigests,
  type SealedFields,
  writeDigests,
} from '../domain/audit-log-chain.ts';
import type { Database } from './database.ts';
import { databaseErrorCode, isDuplicateEntry, isRejectedByTrigger } from './retry.ts';
import { inLongTransaction } from './transaction.ts';

/*
 * Seals the audit log and reads it back. Operations append entries in their own transactions and wait for nobody; a batch
 * is sealed later, from what is committed.
 */

/** Entries of one batch, and of one page. */
const BATCH_ENTRIES = 1_000;

/**
 * An entry gets its number and its time together, a moment before it is written. Once it is that old, in seconds, every
 * entry with a lower number is written too, if not committed: those are waited for.
 */
const SETTLED_SECONDS = 5;
/** How long sealing a batch may take, the wait for transactions that have not ended included, in milliseconds. */
const SEAL_LIMIT_MS = 30_000;

/** A table with entries: the log, or a part of it that was put aside. */
export type EntryTable = `audit_log${string}`;

/** What {@link sealBatch} did. `waiting`: a transaction that is older than the entries has not ended. */
export type SealResult =
  | { kind: 'sealed'; head: ChainAnchor; entries: number }
  | { kind: 'nothing'; head: ChainAnchor | null }
  | { kind: 'waiting' }
  /** Another process has sealed the same entries. */
  | { kind: 'overtaken' };

/** Seals the next batch of committed entries, if there are any. */
export async function sealBatch(db: Database, table: EntryTable = 'audit_log'): Promise<SealResult> {
  try {
    return await inLongTransaction(db, (tx) => sealNext(tx, table), { attempts: 1, limitMs: SEAL_LIMIT_MS });
  } catch (error) {
    if (isDuplicateEntry(error) || isRejectedByTrigger(error)) return { kind: 'overtaken' };
    const code = databaseErrorCode(error);
    if (code === 'ER_LOCK_WAIT_TIMEOUT' || code === 'ER_LOCK_DEADLOCK') return { kind: 'waiting' };
    throw error;
  }
}

async function sealNext(tx: Database, table: EntryTable): Promise<SealResult> {
  const newest = await tx
    .selectFrom('audit_log_chain')
    .select(['number', 'last_id as lastId', 'hash'])
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  const previous = newest ?? { ...BEGINNING, lastId: 0 };
  // The lock waits for what is written and not committed, and hinders nobody: entries are never changed.
  const rows = await entriesOf(tx, table)
    .select(sql<number>`at <= NOW(3) - INTERVAL ${sql.lit(SETTLED_SECONDS)} SECOND`.as('settled'))
    .where('id', '>', previous.lastId)
    .orderBy('id')
    .limit(BATCH_ENTRIES)
    .modifyEnd(sql`LOCK IN SHARE MODE`)
    .execute();
  const fresh = rows.findIndex(({ settled }) => settled !== 1);
  const entries = rows.slice(0, fresh === -1 ? undefined : fresh).map((row) => ({ id: row.id, digest: digestOf(row) }));
  if (entries.length === 0)
    return { kind: 'nothing', head: newest ? { number: newest.number, hash: newest.hash } : null };
  const batch = nextBatch(previous, entries);
  await tx
    .insertInto('audit_log_chain')
    .values({
      number: batch.number,
      first_id: batch.firstId,
      last_id: batch.lastId,
      entries: entries.length,
      digests: writeDigests(entries),
      previous_hash: batch.previousHash,
      hash: batch.hash,
    })
    .execute();
  return { kind: 'sealed', head: { number: batch.number, hash: batch.hash }, entries: entries.length };
}

/** A batch as it is stored, which may be anything; `entries` is null when its list is none. */
export interface StoredBatch extends Omit<Batch, 'entries'> {
  entries: EntryDigest[] | null;
}

/** The stored batches from a number on, one after the other in their order. */
export async function* readBatches(db: Database, from: number): AsyncGenerator<StoredBatch> {
  for (let next = from; ; ) {
    const row = await db
      .selectFrom('audit_log_chain')
      .selectAll()
      .where('number', '>=', next)
      .orderBy('number')
      .limit(1)
      .executeTakeFirst();
    if (!row) return;
    const listed = readDigests(row.digests);
    yield {
      number: row.number,
      firstId: row.first_id,
      lastId: row.last_id,
      entries: listed?.length === row.entries ? listed : null,
      previousHash: row.previous_hash,
      hash: row.hash,
    };
    next = row.number + 1;
  }
}

/** The number and digest of every entry of a range, in order. */
export async function* readEntries(
  db: Database,
  table: EntryTable,
  range: { firstId: number; lastId: number },
): AsyncGenerator<EntryDigest> {
  for (let from = range.firstId; ; ) {
    const rows = await entriesOf(db, table)
      .where('id', '>=', from)
      .where('id', '<=', range.lastId)
      .orderBy('id')
      .limit(BATCH_ENTRIES)
      .execute();
    for (const row of rows) yield { id: row.id, digest: digestOf(row) };
    const last = rows.at(-1);
    if (!last || rows.length < BATCH_ENTRIES) return;
    from = last.id + 1;
  }
}

/** How many entries come after a number, and for how many seconds the first of them has been there. */
export async function countEntriesAfter(
  db: Database,
  table: EntryTable,
  id: number,
): Promise<{ count: number; firstId: number | null; seconds: number }> {
  const row = await entriesOf(db, table)
    .clearSelect()
    .select([
      sql<number>`COUNT(*)`.as('count'),
      sql<number | null>`MIN(id)`.as('firstId'),
      sql<number>`COALESCE(TIMESTAMPDIFF(SECOND, MIN(at), NOW(3)), 0)`.as('seconds'),
    ])
    .where('id', '>', id)
    .executeTakeFirstOrThrow();
  return row;
}

function entriesOf(db: Database, table: EntryTable) {
  return db
    .selectFrom(sql<SealedFields>`${sql.table(table)}`.as('entry'))
    .select([
      'id',
      'at',
      'requester_kind',
      'requester',
      'request_id',
      'remote',
      'account_id',
      'action',
      'subject',
      'outcome',
      'detail',
      'operation_id',
    ]);
}
