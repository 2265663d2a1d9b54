import type { ActionRecord } from '../../db/actions.ts';
import { readOperationFacts } from '../../db/operation-facts.ts';
import type { Address } from '../../domain/address.ts';
import { familyOfResource } from '../../domain/operation.ts';
import type { ApiDependencies } from '../context.ts';
import { notFound, refusalToError } from '../errors.ts';
import { refusalOfAssign } from './refusals.ts';
import { admittedOr, clientFields, earlierAction, newAction, type OperationRequest } from './verdict.ts';

/** Assigns an address, or moves it; answers the action. Throws the v2 error of a refusal. */
export async function assignAddress(
  { db, client }: ApiDependencies,
  request: OperationRequest & { address: Address; dropletId: number },
): Promise<ActionRecord> {
  const { accountId, resourceType, operationId, address, dropletId } = request;
  const facts = await readOperationFacts(db, { accountId, family: familyOfResource(resourceType), address, dropletId });
  if (!facts.address) {
    const earlier = await earlierAction(db, request);
    if (earlier) return earlier;
    throw notFound();
  }
  if (operationId === undefined) {
    if (!facts.droplet) throw notFound();
    const refusal = refusalOfAssign(facts.address, facts.droplet);
    if (refusal) throw refusalToError(refusal, resourceType);
  }
  const admitted = admittedOr(await client.assign({ ...clientFields(request), address, dropletId }), resourceType);
  return newAction(admitted, { type: 'assign_ip', resourceType, dropletId }, facts.address);
}
