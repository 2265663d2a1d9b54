import { createHash } from 'node:crypto';

/*
 * The chain over the audit log. Entries are sealed in batches: a batch lists the number and the digest of each of its
 * entries, and its hash covers that list and the hash of the batch before it. Whoever knows a later hash can therefore
 * tell whether an earlier entry was changed, removed, added or moved, and which one. Ranges follow each other without a
 * gap; numbers that no entry has are those of transactions that were rolled back.
 */

/** An entry with everything that its digest covers, in the order of the columns. */
export interface SealedFields {
  id: number;
  at: Date;
  requester_kind: string;
  requester: string | null;
  request_id: string | null;
  remote: string | null;
  account_id: number | null;
  action: string;
  subject: string;
  outcome: string;
  detail: string | null;
  operation_id: string | null;
}

/** The number of an entry and the SHA-256 of what it says. */
export interface EntryDigest {
  id: number;
  digest: Buffer;
}

/** A batch of the chain. */
export interface Batch {
  /** From 1 without gaps. */
  number: number;
  /** The numbers that it answers for, both included: an entry of that range that it does not list was added later. */
  firstId: number;
  lastId: number;
  entries: EntryDigest[];
  previousHash: Buffer;
  hash: Buffer;
}

/** What an operator keeps where the database's users cannot write: everything up to that batch is proved by it. */
export interface ChainAnchor {
  number: number;
  hash: Buffer;
}

/** What comes before the first batch. */
export const BEGINNING: Readonly<ChainAnchor> = { number: 0, hash: Buffer.alloc(32) };

const ID_BYTES = 8;
const DIGEST_BYTES = 32;
const RECORD_BYTES = ID_BYTES + DIGEST_BYTES;

/** The digest of an entry. The list of texts is JSON, so that no two entries are written alike. */
export function digestOf(entry: SealedFields): Buffer {
  const fields = [
    String(entry.id),
    entry.at.toISOString(),
    entry.requester_kind,
    entry.requester,
    entry.request_id,
    entry.remote,
    entry.account_id === null ? null : String(entry.account_id),
    entry.action,
    entry.subject,
    entry.outcome,
    entry.detail,
    entry.operation_id,
  ];
  return createHash('sha256').update(JSON.stringify(fields)).digest();
}

/** The batch that follows another one; `entries` is in the order of its numbers and not empty. */
export function nextBatch(previous: ChainAnchor & { lastId: number }, entries: EntryDigest[]): Batch {
  const number = previous.number + 1;
  const firstId = previous.lastId + 1;
  const lastId = entries.at(-1)?.id ?? firstId;
  const batch = { number, firstId, lastId, entries, previousHash: previous.hash };
  return { ...batch, hash: hashOf(batch) };
}

/** The hash that a batch must have. */
export function hashOf({ number, firstId, lastId, entries, previousHash }: Omit<Batch, 'hash'>): Buffer {
  return createHash('sha256')
    .update(JSON.stringify(['audit-log-chain', number, firstId, lastId, entries.length].map(String)))
    .update(previousHash)
    .update(writeDigests(entries))
    .digest();
}

/** The list of a batch as it is stored. */
export function writeDigests(entries: readonly EntryDigest[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ id, digest }) => {
      const number = Buffer.alloc(ID_BYTES);
      number.writeBigUInt64BE(BigInt(id));
      return [number, digest];
    }),
  );
}

/** Reads a stored list; null when it is none. */
export function readDigests(stored: Buffer): EntryDigest[] | null {
  if (stored.length % RECORD_BYTES !== 0) return null;
  return Array.from({ length: stored.length / RECORD_BYTES }, (_, index) => {
    const at = index * RECORD_BYTES;
    return {
      id: Number(stored.readBigUInt64BE(at)),
      digest: stored.subarray(at + ID_BYTES, at + RECORD_BYTES),
    };
  });
}

/** An anchor as operators write it down: `12:` and 64 hexadecimal digits. */
export function writeAnchor({ number, hash }: ChainAnchor): string {
  return `${number}:${hash.toString('hex')}`;
}

/** Reads an anchor; null when it is none. */
export function readAnchor(text: string): ChainAnchor | null {
  const [, number, hash] = /^([1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text.trim()) ?? [];
  return number === undefined || hash === undefined ? null : { number: Number(number), hash: Buffer.from(hash, 'hex') };
}
