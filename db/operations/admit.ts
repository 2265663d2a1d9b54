import type { Operation } from '../../domain/operation.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { isDuplicateEntry, retryRolledBack } from '../retry.ts';
import { admitAssign } from './assign.ts';
import { admitRelease } from './release.ts';
import { admitReserve } from './reserve.ts';
import { admitUnassign } from './unassign.ts';
import { AdmissionExpiredError, findVerdict, refuse, storeVerdict } from './verdicts.ts';

/** Rules that admit and settle follow. */
export interface OperationRules {
  /** Rest of a released address, in seconds. */
  quarantineSeconds: number;
}

/**
 * Decides whether an operation may happen, in one transaction, and stores the verdict under its id. The API and the
 * workflow both call it; the first writer wins, and both get that one verdict.
 * An operation that is not admitted before its `admitBefore` is refused for good.
 */
export async function admit(db: Database, operation: Operation, rules: OperationRules): Promise<Verdict> {
  try {
    return await retryRolledBack(() => db.transaction().execute((tx) => decide(tx, operation, rules)));
  } catch (error) {
    if (error instanceof AdmissionExpiredError) return seal(db, operation);
    if (!isDuplicateEntry(error)) throw error;
    const verdict = await findVerdict(db, operation.id);
    if (!verdict) throw error;
    return verdict;
  }
}

/**
 * Refuses an operation whose admission is in doubt, so that it cannot be admitted later; answers the verdict it
 * already had, if any.
 */
export async function seal(db: Database, operation: Operation): Promise<Verdict> {
  const refused = refuse(operation, 'expired');
  try {
    await db.transaction().execute((tx) => storeVerdict(tx, operation, refused));
    return refused;
  } catch (error) {
    const verdict = isDuplicateEntry(error) ? await findVerdict(db, operation.id) : null;
    if (!verdict) throw error;
    return verdict;
  }
}

async function decide(tx: DatabaseTransaction, operation: Operation, rules: OperationRules): Promise<Verdict> {
  const verdict = await verdictOn(tx, operation, rules);
  await storeVerdict(tx, operation, verdict);
  return verdict;
}

function verdictOn(tx: DatabaseTransaction, operation: Operation, rules: OperationRules): Promise<Verdict> {
  switch (operation.kind) {
    case 'reserve':
      return admitReserve(tx, operation);
    case 'assign':
      return admitAssign(tx, operation);
    case 'unassign':
      return admitUnassign(tx, operation);
    case 'release':
      return admitRelease(tx, operation, rules.quarantineSeconds);
  }
}
