import { releaseOperation } from '../../client/operations.ts';
import type { Address } from '../../domain/address.ts';
import type { ApiDependencies } from '../context.ts';
import { admitRequest, type OperationRequest, requestFields } from './request.ts';

/** Gives an address back, for good. Throws the v2 error of a rejection. */
export async function releaseAddress(
  dependencies: ApiDependencies,
  request: OperationRequest & { address: Address },
): Promise<void> {
  const operation = releaseOperation({ ...requestFields(request), address: request.address });
  await admitRequest(dependencies, request, operation);
}
