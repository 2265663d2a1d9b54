import { readOperationFacts } from '../../db/operation-facts.ts';
import type { Address } from '../../domain/address.ts';
import type { Admitted } from '../../domain/verdict.ts';
import type { ApiDependencies } from '../context.ts';
import { notFound, refusalToError } from '../errors.ts';
import { refusalOfUnassign } from './refusals.ts';
import { admittedOr, clientFields, type OperationRequest } from './verdict.ts';

/** Takes an address off its droplet. Throws the v2 error of a refusal. */
export async function unassignAddress(
  { db, client }: ApiDependencies,
  request: OperationRequest & { address: Address },
): Promise<Admitted> {
  const { accountId, resourceType, operationId, address } = request;
  const facts = await readOperationFacts(db, { accountId, address });
  if (!facts.address) throw notFound();
  const refusal = operationId === undefined ? refusalOfUnassign(facts.address) : null;
  if (refusal) throw refusalToError(refusal, resourceType);
  return admittedOr(await client.unassign({ ...clientFields(request), address }), resourceType);
}
