import { type Address, parseAddress } from '../domain/address.ts';
import { newOperationId } from '../domain/identifiers.ts';
import {
  type AssignOperation,
  type Operation,
  type ReleaseOperation,
  type ReserveOperation,
  type ResourceType,
  resourceTypeOf,
  type UnassignOperation,
} from '../domain/operation.ts';
import type {
  AssignRequest,
  OperationHandle,
  ReleaseRequest,
  RequestBase,
  ReservedIpClient,
  ReserveRequest,
  UnassignRequest,
} from './types.ts';

/*
 * The operations that requests ask for. Those on an address throw a RangeError when the text is no address.
 */

/** Reserves an address for an account. */
export function reserveOperation(request: ReserveRequest): ReserveOperation {
  const { target, projectId = null, resourceType = 'reserved_ip' } = request;
  return { ...commonFields(request, resourceType), kind: 'reserve', target, projectId };
}

/** Assigns an address to a droplet. */
export function assignOperation(request: AssignRequest): AssignOperation {
  return { ...addressFields(request), kind: 'assign', dropletId: request.dropletId };
}

/** Takes an address off its droplet. */
export function unassignOperation(request: UnassignRequest): UnassignOperation {
  return { ...addressFields(request), kind: 'unassign', destroysDropletId: request.destroysDropletId ?? null };
}

/** Gives an address back. */
export function releaseOperation(request: ReleaseRequest): ReleaseOperation {
  return { ...addressFields(request), kind: 'release' };
}

/** A client whose methods are all carried out by `run`. */
export function clientOf(
  run: <Request extends RequestBase>(
    request: Request,
    build: (request: Request) => Operation,
  ) => Promise<OperationHandle>,
): ReservedIpClient {
  return {
    reserve: (request) => run(request, reserveOperation),
    assign: (request) => run(request, assignOperation),
    unassign: (request) => run(request, unassignOperation),
    release: (request) => run(request, releaseOperation),
  };
}

function commonFields({ operationId, accountId, requestedBy }: RequestBase, resourceType: ResourceType) {
  return { id: operationId ?? newOperationId(), accountId, resourceType, ...(requestedBy && { requestedBy }) };
}

function addressFields(request: RequestBase & { address: string }) {
  const address = canonical(request.address);
  return { ...commonFields(request, request.resourceType ?? resourceTypeOf(address)), address };
}

/** One spelling for every address, because the workflow id is made from it. */
function canonical(text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw new RangeError(`${text} is not an address`);
  return address;
}
