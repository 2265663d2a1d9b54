import {
  countEntriesAfter,
  type EntryTable,
  readBatches,
  readEntries,
  type StoredBatch,
  sealBatch,
} from '../../db/audit-log-chain.ts';
import type { Database } from '../../db/database.ts';
import { BEGINNING, type ChainAnchor, hashOf } from '../../domain/audit-log-chain.ts';

/** What {@link sealAuditLog} did. */
export interface SealReport {
  /** How many entries it sealed. */
  entries: number;
  /** The newest batch; null when there is none, or when it did not look. */
  head: ChainAnchor | null;
  /** Whether it stopped at a transaction that has not ended: the rest is sealed the next time. */
  waiting: boolean;
}

/** What {@link sealAuditLog} works with. */
export interface SealOptions {
  db: Database;
  /** Default the log itself. */
  table?: EntryTable;
  /** Called after every batch. */
  onProgress?: () => void;
}

/** Seals what is committed, batch by batch. */
export async function sealAuditLog({ db, table, onProgress = () => {} }: SealOptions): Promise<SealReport> {
  let entries = 0;
  let head: ChainAnchor | null = null;
  for (;;) {
    const result = await sealBatch(db, table);
    onProgress();
    if (result.kind === 'sealed') {
      entries += result.entries;
      head = result.head;
    } else if (result.kind === 'nothing') {
      return { entries, head: head ?? result.head, waiting: false };
    } else {
      return { entries, head, waiting: true };
    }
  }
}

/** An entry that has not been sealed for that long, in seconds, is a finding: nobody seals, or somebody keeps it from being done. */
const LONGEST_UNSEALED_SECONDS = 900;

/** What {@link verifyAuditLog} works with. */
export interface VerifyOptions {
  db: Database;
  /** Begins there, and proves that the chain still has that batch; by default at the first one. */
  anchor?: ChainAnchor | null;
  /** Entries up to that number were archived: only the chain is checked for them. */
  archivedThrough?: number;
  /** Only entries up to that number are checked; for a table that was put aside. */
  through?: number;
  /** Where the entries are; default the log itself. */
  table?: EntryTable;
}

/** What {@link verifyAuditLog} found. */
export interface VerifyReport {
  batches: number;
  entries: number;
  /** The newest batch: the anchor to keep. Null when there is none. */
  head: ChainAnchor | null;
  /** Entries that are not sealed yet. */
  unsealed: number;
  /** The first thing that is wrong, in words; null when nothing is. */
  finding: string | null;
}

/**
 * Checks every batch from the anchor on against its hash, and every entry against its batch. It trusts nothing but the
 * anchor, and stops at the first finding. Memory is bounded by one batch.
 */
export async function verifyAuditLog(options: VerifyOptions): Promise<VerifyReport> {
  const { db, anchor = null, archivedThrough = 0, through = Number.MAX_SAFE_INTEGER, table = 'audit_log' } = options;
  const report: VerifyReport = { batches: 0, entries: 0, head: null, unsealed: 0, finding: null };
  let previous: { number: number; hash: Buffer; lastId: number } = { ...BEGINNING, lastId: 0 };
  for await (const batch of readBatches(db, anchor?.number ?? 1)) {
    const finding = anchor && report.batches === 0 ? problemOfAnchor(batch, anchor) : problemOfBatch(batch, previous);
    if (finding !== null) return { ...report, finding };
    if (batch.lastId > archivedThrough && batch.firstId <= through) {
      const entryFinding = await problemOfEntries(db, table, batch, archivedThrough);
      if (entryFinding !== null) return { ...report, finding: entryFinding };
    }
    report.batches += 1;
    report.entries += batch.entries?.length ?? 0;
    report.head = { number: batch.number, hash: batch.hash };
    previous = batch;
  }
  if (anchor && report.batches === 0) {
    return { ...report, finding: `batch ${anchor.number} of the anchor is missing: the end of the chain was cut off` };
  }
  const rest = await countEntriesAfter(db, table, previous.lastId);
  report.unsealed = rest.count;
  if (rest.seconds > LONGEST_UNSEALED_SECONDS) {
    report.finding = `entry ${rest.firstId} has not been sealed for ${rest.seconds} s`;
  }
  return report;
}

function problemOfAnchor(batch: StoredBatch, anchor: ChainAnchor): string | null {
  if (batch.number !== anchor.number) return `batch ${anchor.number} of the anchor is missing`;
  if (!batch.hash.equals(anchor.hash)) return `batch ${batch.number} has another hash than the anchor`;
  return problemOfHash(batch);
}

function problemOfBatch(batch: StoredBatch, previous: { number: number; hash: Buffer; lastId: number }): string | null {
  if (batch.number !== previous.number + 1) return `batch ${previous.number + 1} is missing`;
  if (!batch.previousHash.equals(previous.hash) || batch.firstId !== previous.lastId + 1) {
    return `batch ${batch.number} does not follow batch ${previous.number}`;
  }
  return problemOfHash(batch);
}

function problemOfHash({ entries, ...batch }: StoredBatch): string | null {
  const sound =
    entries !== null &&
    hashOf({ ...batch, entries }).equals(batch.hash) &&
    entries.every(({ id }, index) => id >= batch.firstId && id <= batch.lastId && id > (entries[index - 1]?.id ?? 0));
  return sound ? null : `batch ${batch.number} was changed`;
}

async function problemOfEntries(
  db: Database,
  table: EntryTable,
  batch: StoredBatch,
  archivedThrough: number,
): Promise<string | null> {
  const listed = (batch.entries ?? []).filter(({ id }) => id > archivedThrough);
  const firstId = Math.max(batch.firstId, archivedThrough + 1);
  let index = 0;
  for await (const { id, digest } of readEntries(db, table, { firstId, lastId: batch.lastId })) {
    const expected = listed[index];
    if (!expected || id < expected.id) return `entry ${id} was added after batch ${batch.number} had been sealed`;
    if (id > expected.id) return `entry ${expected.id} of batch ${batch.number} is missing`;
    if (!digest.equals(expected.digest)) return `entry ${id} was changed after batch ${batch.number} had been sealed`;
    index += 1;
  }
  const missing = listed[index];
  return missing ? `entry ${missing.id} of batch ${batch.number} is missing` : null;
}
