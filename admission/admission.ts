import { setTimeout as sleep } from 'node:timers/promises';
import { OperationInDoubtError, OperationUnavailableError } from '../client/errors.ts';
import { isDatabaseUnavailable } from '../db/bounded.ts';
import type { Database } from '../db/database.ts';
import { CommitInDoubtError } from '../db/errors.ts';
import { type AdmissionResult, admitInDatabase, type OperationRules } from '../db/operations/admit.ts';
import { isConnectionLost } from '../db/retry.ts';
import { hostsOf } from '../domain/admitted.ts';
import type { Admitted } from '../domain/decision.ts';
import type { OperationId } from '../domain/identifiers.ts';
import type { Operation } from '../domain/operation.ts';

/** How long an operation that may have been admitted is asked about, in milliseconds. */
const DOUBT_MS = 3_000;
const PAUSE_MS = 50;

/** What {@link createAdmission} works with. */
export interface AdmissionOptions {
  db: Database;
  rules: OperationRules;
  /** Called with the hosts that an admission has told something. */
  notifyHosts: (hosts: string[]) => void;
  /** Called with every operation that is admitted, after its commit; starts its workflow, and does not wait for that. */
  start: (operation: Operation, admitted: Admitted) => void;
}

/**
 * Admits an operation, or rejects it. `mayBeRepeated` says that the same operation may have been admitted before: then
 * that stands. Throws {@link OperationUnavailableError} when MySQL does not answer and nothing has happened nor will, and
 * {@link OperationInDoubtError} when the answer to a commit was lost and MySQL stays away.
 */
export type AdmitOperation = (operation: Operation, options: { mayBeRepeated: boolean }) => Promise<AdmissionResult>;

/** The one way in for everybody who reaches the database: first the commit, then the start. */
export function createAdmission({ db, rules, notifyHosts, start }: AdmissionOptions): AdmitOperation {
  return async function admitOperation(operation, { mayBeRepeated }) {
    const { result, isOwn } = await admitForCertain(operation.id, (again) =>
      admitInDatabase({ db, operation, rules, mayBeRepeated: mayBeRepeated || again, viaOutbox: true }),
    );
    const admitted = admittedBy(result);
    if (admitted && (result.kind === 'admitted' || isOwn)) {
      notifyHosts(hostsOf(admitted));
      start(operation, admitted);
    }
    return result;
  };
}

function admittedBy(result: AdmissionResult): Admitted | null {
  if (result.kind === 'admitted') return result.admitted;
  return result.kind === 'repeated' && result.decision.kind === 'admitted' ? result.decision : null;
}

/**
 * Tries once more when a connection was lost before anything was sent that could be committed, which is that of a server
 * that has restarted. Once something was, it asks until MySQL tells whether it was committed; `isOwn` then says that what
 * was admitted may be this call's own doing.
 */
async function admitForCertain(
  operationId: OperationId,
  attempt: (again: boolean) => Promise<AdmissionResult>,
): Promise<{ result: AdmissionResult; isOwn: boolean }> {
  let doubt: { since: number; cause: CommitInDoubtError } | null = null;
  for (let tries = 1; ; tries++) {
    try {
      return { result: await attempt(doubt !== null), isOwn: doubt !== null };
    } catch (error) {
      if (error instanceof CommitInDoubtError) doubt ??= { since: Date.now(), cause: error };
      else if (!isDatabaseUnavailable(error)) throw error;
      else if (doubt === null && (tries > 1 || !isConnectionLost(error))) {
        throw new OperationUnavailableError(operationId, error);
      }
    }
    if (doubt === null) continue;
    if (Date.now() - doubt.since > DOUBT_MS) throw new OperationInDoubtError(operationId, doubt.cause);
    await sleep(PAUSE_MS);
  }
}
