import { isDatabaseUnavailable } from '../../db/bounded.ts';
import type { Database } from '../../db/database.ts';
import { type OperationFacts, readOperationFacts } from '../../db/operation-facts.ts';
import { describeReservation, type ReservedIpRecord } from '../../db/reserved-ips.ts';
import { familyOfResource, type ReserveOperation } from '../../domain/operation.ts';
import type { Admitted, Refusal } from '../../domain/verdict.ts';
import type { ApiDependencies } from '../context.ts';
import { outcomeUnknown, refusalToError } from '../errors.ts';
import { refusalOfDroplet } from './refusals.ts';
import { admittedOr, clientFields, type OperationRequest } from './verdict.ts';

type Target = ReserveOperation['target'];

/** What a request to reserve an address says besides what every request does. */
export interface ReserveRequest extends OperationRequest {
  target: Target;
  projectId: string | null;
}

/** An address as it was reserved; with a droplet it is on its way there. */
export interface Reservation {
  reserved: ReservedIpRecord;
  /** Of the assignment when there is a droplet, else of the reserve. */
  actionId: number;
}

/** Reserves an address in a region, or for a droplet. Throws the v2 error of a refusal. */
export async function reserveAddress(dependencies: ApiDependencies, request: ReserveRequest): Promise<Reservation> {
  const { db, client } = dependencies;
  const { resourceType, operationId, target, projectId } = request;
  const facts = operationId === undefined ? await readFacts(db, request) : null;
  const refusal = facts && refusalOfReserve(target, facts);
  if (refusal) throw refusalToError(refusal, resourceType);
  const handle = await client.reserve({ ...clientFields(request), target, projectId });
  const admitted = admittedOr(handle, resourceType);
  const reserved = newReservation(request, admitted, facts) ?? (await readReservation(db, request, admitted));
  return { reserved, actionId: admitted.actionId };
}

function readFacts(db: Database, { accountId, resourceType, target }: ReserveRequest): Promise<OperationFacts> {
  return readOperationFacts(db, {
    accountId,
    family: familyOfResource(resourceType),
    ...(target.dropletId !== null && { dropletId: target.dropletId }),
    ...(target.region !== null && { region: target.region }),
  });
}

/** From what was read before. Reading it back would cost the caller another round trip, and say the same. */
function newReservation(
  { target, projectId }: ReserveRequest,
  { address, startedAt }: Admitted,
  facts: OperationFacts | null,
): ReservedIpRecord | null {
  const region = facts?.region ?? facts?.droplet?.region;
  if (!facts || !region) return null;
  return {
    address,
    region: { slug: region.slug, name: region.name },
    droplet: null,
    locked: target.dropletId !== null,
    projectId: projectId ?? facts.accountUuid,
    reservedAt: new Date(startedAt),
  };
}

/** What was reserved stays so when it cannot be read, so that is no 503. */
async function readReservation(
  db: Database,
  { accountId, target, projectId }: ReserveRequest,
  { address, region, startedAt }: Admitted,
): Promise<ReservedIpRecord> {
  const locked = target.dropletId !== null;
  try {
    return await describeReservation(db, {
      accountId,
      address,
      region,
      locked,
      projectId,
      reservedAt: new Date(startedAt),
    });
  } catch (error) {
    throw isDatabaseUnavailable(error) ? outcomeUnknown() : error;
  }
}

function refusalOfReserve(target: Target, { droplet, region }: OperationFacts): Refusal | null {
  if (target.dropletId !== null && !droplet) return 'droplet_not_found';
  if (target.region !== null && !region) return 'region_not_found';
  if (!droplet) return null;
  if (region && region.id !== droplet.regionId) return 'region_mismatch';
  return refusalOfDroplet(droplet);
}
