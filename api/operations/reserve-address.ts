import { reserveOperation } from '../../client/operations.ts';
import { isDatabaseUnavailable } from '../../db/bounded.ts';
import { describeReservation, type ReservedIpRecord } from '../../db/reserved-ips.ts';
import type { ReserveOperation } from '../../domain/operation.ts';
import type { ApiDependencies } from '../context.ts';
import { outcomeUnknown } from '../errors.ts';
import { type AdmittedRequest, admitRequest, type OperationRequest, requestFields } from './request.ts';

/** What a request to reserve an address says besides what every request does. */
export interface ReserveRequest extends OperationRequest {
  target: ReserveOperation['target'];
  projectId: string | null;
}

/** An address as it was reserved; with a droplet, the assignment is in progress. */
export interface Reservation {
  reserved: ReservedIpRecord;
  /** Of the assignment when there is a droplet, else of the reserve. */
  actionId: number;
}

/** Reserves an address in a region, or for a droplet. Throws the v2 error of a rejection. */
export async function reserveAddress(dependencies: ApiDependencies, request: ReserveRequest): Promise<Reservation> {
  const { target, projectId } = request;
  const operation = reserveOperation({ ...requestFields(request), target, projectId });
  const admitted = await admitRequest(dependencies, request, operation);
  return { reserved: await reservationOf(dependencies, request, admitted), actionId: admitted.admitted.actionId };
}

/** As it was reserved, whatever has become of it since. */
async function reservationOf(
  { db }: ApiDependencies,
  { accountId, target, projectId }: ReserveRequest,
  { admitted, address }: AdmittedRequest,
): Promise<ReservedIpRecord> {
  const { region, startedAt } = admitted;
  const locked = target.dropletId !== null;
  const reservedAt = new Date(startedAt);
  if (address?.accountUuid) {
    const project = projectId ?? address.accountUuid;
    return { address: admitted.address, region: address.region, droplet: null, locked, projectId: project, reservedAt };
  }
  try {
    return await describeReservation(db, {
      accountId,
      address: admitted.address,
      region,
      locked,
      projectId,
      reservedAt,
    });
  } catch (error) {
    // What was reserved stays so when it cannot be read, so that is no 503.
    throw isDatabaseUnavailable(error) ? outcomeUnknown() : error;
  }
}
