import type { ActionRecord } from '../../db/actions.ts';
import { readOperationFacts } from '../../db/operation-facts.ts';
import type { Address } from '../../domain/address.ts';
import { familyOfResource } from '../../domain/operation.ts';
import type { ApiDependencies } from '../context.ts';
import { notFound, refusalToError } from '../errors.ts';
import { refusalOfUnassign } from './refusals.ts';
import { admittedOr, clientFields, earlierAction, newAction, type OperationRequest } from './verdict.ts';

/** Takes an address off its droplet; answers the action. Throws the v2 error of a refusal. */
export async function unassignAddress(
  { db, client }: ApiDependencies,
  request: OperationRequest & { address: Address },
): Promise<ActionRecord> {
  const { accountId, resourceType, operationId, address } = request;
  const facts = await readOperationFacts(db, { accountId, family: familyOfResource(resourceType), address });
  if (!facts.address) {
    const earlier = await earlierAction(db, request);
    if (earlier) return earlier;
    throw notFound();
  }
  const refusal = operationId === undefined ? refusalOfUnassign(facts.address) : null;
  if (refusal) throw refusalToError(refusal, resourceType);
  const admitted = admittedOr(await client.unassign({ ...clientFields(request), address }), resourceType);
  const { dropletId } = facts.address;
  return newAction(admitted, { type: 'unassign_ip', resourceType, dropletId }, facts.address);
}
