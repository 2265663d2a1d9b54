import { isDatabaseUnavailable } from '../../db/bounded.ts';
import type { Database } from '../../db/database.ts';
import { type OperationFacts, readOperationFacts } from '../../db/operation-facts.ts';
import { describeReservation, findReservedIp, type ReservedIpRecord } from '../../db/reserved-ips.ts';
import { familyOfResource, type ReserveOperation } from '../../domain/operation.ts';
import type { Admitted, Refusal } from '../../domain/verdict.ts';
import type { ApiDependencies } from '../context.ts';
import { outcomeUnknown, refusalToError } from '../errors.ts';
import { refusalOfDroplet } from './refusals.ts';
import { admittedOr, clientFields, type OperationRequest } from './verdict.ts';

type Target = ReserveOperation['target'];

/** Reserves an address in a region, or for a droplet. Throws the v2 error of a refusal. */
export async function reserveAddress(
  { db, client }: ApiDependencies,
  request: OperationRequest & { target: Target; projectId: string | null },
): Promise<Admitted> {
  const { accountId, resourceType, operationId, target, projectId } = request;
  if (operationId === undefined) {
    const facts = await readOperationFacts(db, {
      accountId,
      family: familyOfResource(resourceType),
      ...(target.dropletId !== null && { dropletId: target.dropletId }),
      ...(target.region !== null && { region: target.region }),
    });
    const refusal = refusalOfReserve(target, facts);
    if (refusal) throw refusalToError(refusal, resourceType);
  }
  return admittedOr(await client.reserve({ ...clientFields(request), target, projectId }), resourceType);
}

/**
 * The address that {@link reserveAddress} has reserved, for its answer: as it is, or as it was reserved, when somebody
 * has given it back in the meantime. What was reserved stays so when it cannot be read, so that is no 503.
 */
export async function readReserved(
  db: Database,
  accountId: number,
  { address, region, startedAt }: Admitted,
  projectId: string | null,
): Promise<ReservedIpRecord> {
  try {
    const reservation = { accountId, address, region, projectId, reservedAt: new Date(startedAt) };
    return (await findReservedIp(db, accountId, address)) ?? (await describeReservation(db, reservation));
  } catch (error) {
    throw isDatabaseUnavailable(error) ? outcomeUnknown() : error;
  }
}

function refusalOfReserve(target: Target, { droplet, regionId }: OperationFacts): Refusal | null {
  if (target.dropletId !== null && !droplet) return 'droplet_not_found';
  if (target.region !== null && regionId === null) return 'region_not_found';
  if (!droplet) return null;
  if (regionId !== null && regionId !== droplet.regionId) return 'region_mismatch';
  return refusalOfDroplet(droplet);
}
