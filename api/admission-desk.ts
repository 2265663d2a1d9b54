import type { AdmissionDesk } from '../client/admission-desk.ts';
import type { Database } from '../db/database.ts';
import { admit, type OperationRules, seal } from '../db/operations/admit.ts';
import { readStanding } from '../db/operations/fence.ts';
import { findVerdict } from '../db/operations/verdicts.ts';

/** What anybody decides with who reaches the database. Its errors are the database's own. */
export function createAdmissionDesk(db: Database, rules: OperationRules): AdmissionDesk {
  return {
    admit: (operation, started) => admit(db, operation, rules, started),
    seal: (operation) => seal(db, operation),
    findVerdict: (operationId) => findVerdict(db, operationId),
    standing: (operation) => readStanding(db, operation),
  };
}
