import { unassignOperation } from '../../client/operations.ts';
import type { ActionRecord } from '../../db/actions.ts';
import type { Address } from '../../domain/address.ts';
import type { ApiDependencies } from '../context.ts';
import { actionOf, admitRequest, type OperationRequest, requestFields } from './request.ts';

/** Takes an address off its droplet; answers the action. Throws the v2 error of a rejection. */
export async function unassignAddress(
  dependencies: ApiDependencies,
  request: OperationRequest & { address: Address },
): Promise<ActionRecord> {
  const operation = unassignOperation({ ...requestFields(request), address: request.address });
  const admitted = await admitRequest(dependencies, request, operation);
  const dropletId = admitted.address?.dropletId ?? null;
  return actionOf(dependencies.db, request, admitted, { type: 'unassign_ip', dropletId });
}
