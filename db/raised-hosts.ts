import { sql } from 'kysely';
import { queryLimit } from './bounded.ts';
import type { Database } from './database.ts';

/*
 * Who waits for host commands looks from time to time for hosts whose sequence was raised lately. A sequence is stamped by
 * the statement that raises it and seen when its transaction commits, so three times must fit together.
 */

/** How far back a look goes, in milliseconds. */
export const LOOKBACK_MS = 10_000;
/** The longest time from one look to the next after which the two still miss no host, in milliseconds. */
export const LONGEST_GAP_MS = 4_000;
/** Timers are late on a busy machine, and a commit takes its time. */
const MARGIN_MS = 500;
/** What is left to a transaction that raises a sequence, in milliseconds; `inTransaction` holds every one to it. */
export const LONGEST_TRANSACTION_MS = LOOKBACK_MS - LONGEST_GAP_MS - MARGIN_MS;

/** A host whose sequence was raised a short while ago. */
export interface RaisedHost {
  id: number;
  lastSequence: number;
}

/**
 * Hosts that were given a command within the last `lookbackMs` milliseconds on the database's clock. One range of one
 * covering index, so that the cost follows the hosts that have work, not the hosts there are.
 */
export async function listRaisedHosts(db: Database, lookbackMs: number): Promise<RaisedHost[]> {
  // Written out, because it runs 50 times a second and the query builder would be half of its cost.
  const { rows } = await sql<RaisedHost>`
    SELECT id, last_sequence AS lastSequence FROM hosts
    WHERE signalled_at >= NOW(3) - INTERVAL ${lookbackMs * 1_000} MICROSECOND`.execute(db, queryLimit());
  return rows;
}
