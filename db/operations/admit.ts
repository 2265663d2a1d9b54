import type { Operation } from '../../domain/operation.ts';
import type { PoolShareRules } from '../../domain/pool-share.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { Database, DatabaseTransaction } from '../database.ts';
import { isDuplicateEntry, isRefusedByTrigger, retryRolledBack } from '../retry.ts';
import { admitAssign } from './assign.ts';
import { admitRelease } from './release.ts';
import { admitReserve } from './reserve.ts';
import { admitUnassign } from './unassign.ts';
import { AdmissionExpiredError, type Decision, findVerdict, refusal, storingDecision } from './verdicts.ts';

/** Rules that admit and settle follow. */
export interface OperationRules {
  /** Rest of a released address, in seconds. */
  quarantineSeconds: number;
  /** How much of a pool one account may take. */
  poolShare: PoolShareRules;
}

/**
 * Decides whether an operation may happen, in one transaction, and stores the verdict under its id. The API and the
 * workflow both call it; the first writer wins, and both get that one verdict.
 * An operation that is not admitted before its `admitBefore` is refused for good.
 *
 * With `started` the decision is prepared at once, and written and committed only after `started` has resolved: the
 * workflow is durable first, and hardly any time is lost. When `started` rejects nothing is written, and its error is
 * thrown.
 */
export async function admit(
  db: Database,
  operation: Operation,
  rules: OperationRules,
  started: Promise<unknown> = Promise.resolve(),
): Promise<Verdict> {
  const attempt = () => retryRolledBack(() => db.transaction().execute((tx) => decide(tx, operation, rules, started)));
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof AdmissionExpiredError) return seal(db, operation);
    if (!isDuplicateEntry(error) && !isRefusedByTrigger(error)) throw error;
    // Without a verdict it was the droplet: a stack that knows no locks has sent it an address meanwhile, as is seen now.
    return (await findVerdict(db, operation.id)) ?? (await attempt());
  }
}

/**
 * Refuses an operation whose admission is in doubt, so that it cannot be admitted later; answers the verdict it
 * already had, if any.
 */
export async function seal(db: Database, operation: Operation): Promise<Verdict> {
  const decision = refusal(operation, 'expired');
  try {
    await db.transaction().execute((tx) => storingDecision(tx, operation, decision)());
    return decision.verdict;
  } catch (error) {
    const verdict = isDuplicateEntry(error) ? await findVerdict(db, operation.id) : null;
    if (!verdict) throw error;
    return verdict;
  }
}

async function decide(
  tx: DatabaseTransaction,
  operation: Operation,
  rules: OperationRules,
  started: Promise<unknown>,
): Promise<Verdict> {
  const decision = await decisionOn(tx, operation, rules);
  const store = storingDecision(tx, operation, decision);
  await started;
  // Only now, because the rows of hosts are locked from here to the commit.
  await store();
  return decision.verdict;
}

function decisionOn(tx: DatabaseTransaction, operation: Operation, rules: OperationRules): Promise<Decision> {
  switch (operation.kind) {
    case 'reserve':
      return admitReserve(tx, operation, rules);
    case 'assign':
      return admitAssign(tx, operation);
    case 'unassign':
      return admitUnassign(tx, operation);
    case 'release':
      return admitRelease(tx, operation, rules.quarantineSeconds);
  }
}
