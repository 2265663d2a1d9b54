import { readOperationFacts } from '../../db/operation-facts.ts';
import type { Address } from '../../domain/address.ts';
import { familyOfResource } from '../../domain/operation.ts';
import type { ApiDependencies } from '../context.ts';
import { notFound, refusalToError } from '../errors.ts';
import { refusalOfRelease } from './refusals.ts';
import { admittedOr, clientFields, type OperationRequest } from './verdict.ts';

/** Gives an address back, for good. Throws the v2 error of a refusal. */
export async function releaseAddress(
  { db, client }: ApiDependencies,
  request: OperationRequest & { address: Address },
): Promise<void> {
  const { accountId, resourceType, address } = request;
  const family = familyOfResource(resourceType);
  const facts = await readOperationFacts(db, { accountId, family, address });
  if (!facts.address) throw notFound();
  const refusal = refusalOfRelease(facts.address, family);
  if (refusal) throw refusalToError(refusal, resourceType);
  admittedOr(await client.release({ ...clientFields(request), address }), resourceType);
}
