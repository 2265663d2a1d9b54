import type { Database } from '../db/database.ts';
import { admit, type OperationRules } from '../db/operations/admit.ts';
import { findVerdict } from '../db/operations/verdicts.ts';
import type { Operation } from '../domain/operation.ts';
import type { Verdict } from '../domain/verdict.ts';

/** How long and how often a host may try; decided where the operation runs, recorded in its history. */
export interface HostPatience {
  /** One attempt, in milliseconds. */
  timeoutMs: number;
  attempts: number;
  /** How long a reassign waits for the previous host, in milliseconds. */
  previousHostTimeoutMs: number;
}

/** What the admit step leaves for the rest of the workflow. */
export interface Admission {
  verdict: Verdict;
  patience: HostPatience;
}

/** The verdict that the API already got, or else the same decision made here. */
export async function admitOperation(
  db: Database,
  operation: Operation,
  rules: OperationRules,
  patience: HostPatience,
): Promise<Admission> {
  const verdict = (await findVerdict(db, operation.id)) ?? (await admit(db, operation, rules));
  return { verdict, patience };
}
