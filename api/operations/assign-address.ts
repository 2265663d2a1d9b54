import { assignOperation } from '../../client/operations.ts';
import type { ActionRecord } from '../../db/actions.ts';
import type { Address } from '../../domain/address.ts';
import type { ApiDependencies } from '../context.ts';
import { actionOf, admitRequest, type OperationRequest, requestFields } from './request.ts';

/** Assigns an address, or moves it; answers the action. Throws the v2 error of a rejection. */
export async function assignAddress(
  dependencies: ApiDependencies,
  request: OperationRequest & { address: Address; dropletId: number },
): Promise<ActionRecord> {
  const { address, dropletId } = request;
  const operation = assignOperation({ ...requestFields(request), address, dropletId });
  const admitted = await admitRequest(dependencies, request, operation);
  return actionOf(dependencies.db, request, admitted, { type: 'assign_ip', dropletId });
}
