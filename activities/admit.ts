import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { admit, type OperationRules } from '../db/operations/admit.ts';
import { findVerdict } from '../db/operations/verdicts.ts';
import type { OperationId } from '../domain/identifiers.ts';
import type { Operation } from '../domain/operation.ts';
import type { Patience } from '../domain/patience.ts';
import type { Verdict } from '../domain/verdict.ts';

/** What the admit step leaves for the rest of the workflow. */
export interface Admission {
  verdict: Verdict;
  patience: Patience;
}

/** Answers the decision that this very process is making for an operation, if it is. */
export type DecisionsInProgress = (operationId: OperationId) => Promise<Verdict> | undefined;

/** What {@link admitOperation} needs from outside. */
export interface AdmitDependencies {
  db: Database;
  rules: OperationRules;
  patience: Patience;
  decisionsInProgress: DecisionsInProgress;
}

/** A starter that decides by itself has done so by then, or has died. In milliseconds. */
const STARTER_GRACE_MS = 25;

/** The verdict that the starter got, or else the same decision made here. */
export async function admitOperation(dependencies: AdmitDependencies, operation: Operation): Promise<Admission> {
  const { db, rules, patience } = dependencies;
  const verdict = (await starterVerdict(dependencies, operation)) ?? (await admit(db, operation, rules));
  return { verdict, patience };
}

async function starterVerdict(
  { db, decisionsInProgress }: AdmitDependencies,
  operation: Operation,
): Promise<Verdict | null> {
  const decided = await decisionsInProgress(operation.id)?.catch(() => null);
  if (decided) return decided;
  const stored = await findVerdict(db, operation.id);
  if (stored || !operation.starterDecides) return stored;
  await sleep(STARTER_GRACE_MS);
  return findVerdict(db, operation.id);
}
