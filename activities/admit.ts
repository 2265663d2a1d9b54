import type { Database } from '../db/database.ts';
import { admit, type OperationRules } from '../db/operations/admit.ts';
import type { RecordedVerdict, Verdict } from '../domain/decision.ts';
import type { Operation } from '../domain/operation.ts';
import type { Patience } from '../domain/timeouts.ts';

/** What the admit step leaves for the rest of the workflow. */
export interface Admission {
  verdict: RecordedVerdict;
  patience: Patience;
}

/** What {@link admitOperation} needs from outside. */
export interface AdmitDependencies {
  db: Database;
  rules: OperationRules;
  patience: Patience;
}

/** Admits an operation whose starter has no database, or reads the verdict that it has already. */
export async function admitOperation(
  { db, rules, patience }: AdmitDependencies,
  operation: Operation,
): Promise<Admission & { verdict: Verdict }> {
  const result = await admit({ db, operation, rules, mayBeRepeated: true, viaOutbox: false });
  switch (result.kind) {
    case 'admitted':
      return { verdict: result.admitted, patience };
    case 'repeated':
      return { verdict: result.verdict, patience };
    case 'refused':
      return { verdict: { kind: 'refused', operationId: operation.id, refusal: result.refusal }, patience };
  }
}
