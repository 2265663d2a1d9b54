import { type ActionRecord, findAction } from '../../db/actions.ts';
import type { Database } from '../../db/database.ts';
import type { AdmittedAddress } from '../../db/operations/admit.ts';
import type { Admitted, Decision } from '../../domain/decision.ts';
import type { OperationId } from '../../domain/identifiers.ts';
import type { Operation, ResourceType } from '../../domain/operation.ts';
import type { Requester } from '../../domain/requester.ts';
import type { ApiDependencies } from '../context.ts';
import { rejectionToError, serverError } from '../errors.ts';

/** What every request to change an address comes with. */
export interface OperationRequest {
  accountId: number;
  resourceType: ResourceType;
  /** Set when the request may be a repetition: then what was admitted under this id stands. */
  operationId: OperationId | undefined;
  requestedBy: Requester;
}

/** The fields of a request that an operation takes as they are. */
export function requestFields({ accountId, resourceType, operationId, requestedBy }: OperationRequest) {
  return { accountId, resourceType, requestedBy, ...(operationId !== undefined && { operationId }) };
}

/** An operation that was admitted, just now or by the request that this one repeats; then `address` is null. */
export interface AdmittedRequest {
  admitted: Admitted;
  address: AdmittedAddress | null;
}

/** Admits an operation; throws the v2 error of a rejection. */
export async function admitRequest(
  { admit }: ApiDependencies,
  { operationId, resourceType }: OperationRequest,
  operation: Operation,
): Promise<AdmittedRequest> {
  const result = await admit(operation, { mayBeRepeated: operationId !== undefined });
  switch (result.kind) {
    case 'admitted':
      return result;
    case 'repeated':
      return { admitted: admittedOr(result.decision, resourceType), address: null };
    case 'rejected':
      throw rejectionToError(result.reason, resourceType);
  }
}

function admittedOr(decision: Decision, resourceType: ResourceType): Admitted {
  if (decision.kind === 'refused') throw rejectionToError(decision.refusal, resourceType);
  return decision;
}

/**
 * The action of an admitted operation. As it was written a moment ago it is known; that of a repeated request is read.
 */
export async function actionOf(
  db: Database,
  { accountId, resourceType }: OperationRequest,
  { admitted, address }: AdmittedRequest,
  { type, dropletId }: { type: 'assign_ip' | 'unassign_ip'; dropletId: number | null },
): Promise<ActionRecord> {
  if (address === null) {
    const action = await findAction(db, { accountId }, admitted.actionId);
    if (!action) throw serverError();
    return action;
  }
  return {
    id: admitted.actionId,
    status: 'in-progress',
    address: admitted.address,
    addressId: address.id,
    region: address.region,
    startedAt: new Date(admitted.startedAt),
    completedAt: null,
    type,
    resourceType,
    dropletId,
  };
}
