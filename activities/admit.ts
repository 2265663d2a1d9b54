import type { Database } from '../db/database.ts';
import { admitInDatabase, type OperationRules } from '../db/operations/admit.ts';
import type { Decision, RecordedDecision } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import type { OperationTimeouts } from '../domain/timeouts.ts';

/** What the admit step leaves for the rest of the workflow. */
export interface Admission {
  verdict: RecordedDecision;
  patience: OperationTimeouts;
}

/** What {@link admitForWorkflow} needs from outside. */
export interface AdmitDependencies {
  db: Database;
  rules: OperationRules;
  timeouts: OperationTimeouts;
}

/** Admits an operation whose starter has no database, or reads the verdict that it has already. */
export async function admitForWorkflow(
  { db, rules, timeouts }: AdmitDependencies,
  operation: Operation,
): Promise<Admission & { verdict: Decision }> {
  const result = await admitInDatabase({ db, operation, rules, mayBeRepeated: true, viaOutbox: false });
  switch (result.kind) {
    case 'admitted':
      return { verdict: result.admitted, patience: timeouts };
    case 'repeated':
      return { verdict: result.decision, patience: timeouts };
    case 'rejected':
      return { verdict: { kind: 'refused', operationId: operation.id, refusal: result.reason }, patience: timeouts };
  }
}
