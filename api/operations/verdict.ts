import type { OperationHandle } from '../../client/types.ts';
import { type ActionRecord, findAction } from '../../db/actions.ts';
import type { Database } from '../../db/database.ts';
import type { AddressFacts } from '../../db/operation-facts.ts';
import { findVerdict } from '../../db/operations/verdicts.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { ResourceType } from '../../domain/operation.ts';
import type { Requester } from '../../domain/requester.ts';
import type { Admitted } from '../../domain/verdict.ts';
import { refusalToError } from '../errors.ts';

/** What every request to change an address comes with. */
export interface OperationRequest {
  accountId: number;
  resourceType: ResourceType;
  /** Set when the request may be a repetition: then only the operation's own, stored verdict can tell. */
  operationId: OperationId | undefined;
  requestedBy: Requester;
}

/** The fields of a request that the client takes as they are. */
export function clientFields({ accountId, resourceType, operationId, requestedBy }: OperationRequest) {
  return { accountId, resourceType, requestedBy, ...(operationId !== undefined && { operationId }) };
}

/** The verdict of an admitted operation; throws the v2 error of a refused one. */
export function admittedOr({ verdict }: OperationHandle, resourceType: ResourceType): Admitted {
  if (verdict.kind === 'refused') throw refusalToError(verdict.refusal, resourceType);
  return verdict;
}

/** What a repeated request did when it was made first; null when that was nothing, or the request is no repetition. */
export async function earlierAction(
  db: Database,
  { accountId, operationId }: OperationRequest,
): Promise<ActionRecord | null> {
  const verdict = operationId === undefined ? null : await findVerdict(db, operationId);
  return verdict?.kind === 'admitted' ? findAction(db, { accountId }, verdict.actionId) : null;
}

/**
 * The action of an operation that was admitted a moment ago, as the admitting transaction wrote it. Reading it back
 * would cost the caller another round trip, and say the same.
 */
export function newAction(
  admitted: Admitted,
  operation: { type: 'assign_ip' | 'unassign_ip'; resourceType: ResourceType; dropletId: number | null },
  address: AddressFacts,
): ActionRecord {
  return {
    id: admitted.actionId,
    status: 'in-progress',
    address: admitted.address,
    addressId: address.id,
    region: address.region,
    startedAt: new Date(admitted.startedAt),
    completedAt: null,
    ...operation,
  };
}
