import { Context, metricMeter } from '@temporalio/activity';
import type { BillingEvents } from '../billing/consume.ts';
import { databaseTime } from '../db/checked-operations.ts';
import type { Database } from '../db/database.ts';
import { deleteOldIdempotencyKeys, IDEMPOTENCY_KEY_HOURS } from '../db/idempotency.ts';
import { writeAnchor } from '../domain/audit-log-chain.ts';
import type { Findings, Sealed, TakenUp, Violation } from '../domain/consistency-report.ts';
import { sealAuditLog } from '../ops/audit-log/chain.ts';
import { checkChanges } from '../ops/consistency/changes.ts';
import { takeUpOperations } from '../ops/consistency/take-up.ts';
import { billWhatIsMissing } from '../ops/consistency/unbilled.ts';

/** What the activities of the audit need from outside. */
export interface ReconcilerDependencies {
  db: Database;
  /** Reads what was published to the billing topic at a time or later. */
  readBilling(since: Date): Promise<BillingEvents>;
}

/** The steps of the audit, by the names they are scheduled under. */
export interface ReconcilerActivities {
  /** Starts operations again whose workflow is gone. */
  takeUpOperations(): Promise<TakenUp>;
  /** Checks what changed since a time (RFC 3339; null is the first time), and tells the time it was then. */
  checkChanges(since: string | null): Promise<Findings & { until: string }>;
  /** Has changes billed again that no billing event tells of. */
  billWhatIsMissing(since: string | null, until: string): Promise<Findings & { takenUp: string[] }>;
  /** Deletes the idempotency keys whose time is over, some at a time; what is left is for the next audit. */
  deleteOldKeys(): Promise<{ deleted: number }>;
  /** Seals the entries of the audit log that are committed. */
  sealAuditLog(): Promise<Sealed>;
}

/** Violations that a report carries; a person needs no more to see what is wrong. */
const REPORTED = 50;
/** How far back the first audit looks, in milliseconds. */
const FIRST_LOOK_MS = 24 * 3_600_000;
/** A transaction may end this long after the time that its action bears, in milliseconds. */
const IN_FLIGHT_MS = 60_000;
/** How often a missing billing event is looked for: until its address was free once to be taken up. In milliseconds. */
const BILLING_OVERLAP_MS = 600_000;
/** A settled change is published within moments, or has a workflow of its own. In milliseconds. */
const BEING_PUBLISHED_MS = 30_000;

/** Keys that are deleted by one statement, and by one audit. */
const KEYS_AT_A_TIME = 1_000;
const MOST_KEYS = 100_000;

/** Makes the activities of the audit. */
export function createReconcilerActivities({ db, readBilling }: ReconcilerDependencies): ReconcilerActivities {
  return {
    async takeUpOperations() {
      const { client: temporal } = Context.current();
      const report = await takeUpOperations({ db, temporal, onProgress: heartbeat });
      count('operations_taken_up', 'operations whose workflow was gone', report.takenUp.length);
      return { ...report, takenUp: report.takenUp.slice(0, REPORTED) };
    },
    async checkChanges(since) {
      const until = await databaseTime(db);
      const from = before(since, IN_FLIGHT_MS, until);
      const violations = await checkChanges({ db, since: from, onProgress: heartbeat });
      count('audits', 'audits that were run', 1);
      return { until: until.toISOString(), ...findings(violations) };
    },
    async billWhatIsMissing(since, until) {
      const { client: temporal } = Context.current();
      const end = new Date(Date.parse(until) - BEING_PUBLISHED_MS);
      const from = before(since, BILLING_OVERLAP_MS, new Date(until));
      const { takenUp, lost } = await billWhatIsMissing({ db, temporal, readBilling, since: from, until: end });
      count('billing_events_taken_up', 'settled changes that had no billing event', takenUp.length);
      return { takenUp, ...findings(lost) };
    },
    async deleteOldKeys() {
      let deleted = 0;
      for (let last = KEYS_AT_A_TIME; last === KEYS_AT_A_TIME && deleted < MOST_KEYS; deleted += last) {
        last = await deleteOldIdempotencyKeys(db, IDEMPOTENCY_KEY_HOURS, KEYS_AT_A_TIME);
        heartbeat();
      }
      return { deleted };
    },
    async sealAuditLog() {
      const { entries, head } = await sealAuditLog({ db, onProgress: heartbeat });
      count('audit_log_entries_sealed', 'entries of the audit log that were sealed', entries);
      return { entries, anchor: head && writeAnchor(head) };
    },
  };
}

function before(since: string | null, margin: number, now: Date): Date {
  return new Date(since === null ? now.getTime() - FIRST_LOOK_MS : Date.parse(since) - margin);
}

function findings(violations: Violation[]): Findings {
  for (const { invariant } of violations) {
    count('audit_findings', 'broken invariants that need a person', 1, { invariant });
  }
  return { count: violations.length, violations: violations.slice(0, REPORTED) };
}

function count(name: string, description: string, value: number, tags: Record<string, number> = {}): void {
  metricMeter.createCounter(`reserved_ip_${name}`, undefined, description).add(value, tags);
}

function heartbeat(): void {
  Context.current().heartbeat();
}
