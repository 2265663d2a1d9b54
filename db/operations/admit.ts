import { type Operation, subjectOf } from '../../domain/operation.ts';
import { appendEntry } from '../audit-log.ts';
import type { Database } from '../database.ts';
import { isDuplicateEntry, isRejectedByTrigger } from '../retry.ts';
import { writesOf } from './kinds.ts';
import type { AdmissionContext, AdmissionResult } from './plan.ts';

export { findDecision } from './admission.ts';
export type { AdmissionResult, AdmittedAddress, OperationRules } from './plan.ts';

/**
 * Decides whether an operation may happen, and admits it, in one transaction. Throws the database's own errors, after
 * which nothing was admitted, and {@link CommitInDoubtError} when that is not known: calling it again for the same
 * operation with `mayBeRepeated` answers it, since an operation is admitted once.
 */
export async function admitInDatabase(context: AdmissionContext): Promise<AdmissionResult> {
  const admission = await admitOnce(context).catch((error: unknown) => {
    // Another try has admitted it; or legacy, which takes no locks, has assigned an address to the droplet meanwhile.
    if (isDuplicateEntry(error) || isRejectedByTrigger(error)) return admitOnce({ ...context, mayBeRepeated: true });
    throw error;
  });
  if (admission.kind === 'rejected') await recordRejection(context.db, context.operation, admission.reason);
  return admission;
}

function admitOnce(context: AdmissionContext): Promise<AdmissionResult> {
  return writesOf(context.operation).admit(context);
}

/** The API records what it rejects itself, since it rejects many requests that never come here. */
async function recordRejection(db: Database, operation: Operation, detail: string): Promise<void> {
  const { requestedBy: requester, kind: action, id: operationId, accountId } = operation;
  if (!requester || requester.kind === 'token') return;
  const subject = subjectOf(operation);
  await appendEntry(db, { requester, accountId, action, subject, outcome: 'refused', detail, operationId });
}
