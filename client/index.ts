import type { Client } from '@temporalio/client';
import { type Address, parseAddress } from '../domain/address.ts';
import { newOperationId } from '../domain/identifiers.ts';
import { type Operation, resourceTypeOf } from '../domain/operation.ts';
import type { Requester } from '../domain/requester.ts';
import type { AdmissionDesk } from './admission-desk.ts';
import { startWithDesk } from './start-with-desk.ts';
import { startWithUpdate } from './start-with-update.ts';
import type { OperationHandle, RequestBase, ReservedIpClient } from './types.ts';

export type { Outcome, Verdict } from '../domain/verdict.ts';
export type { AdmissionDesk } from './admission-desk.ts';
export { OperationInDoubtError, OperationUnavailableError } from './errors.ts';
export type {
  AssignRequest,
  OperationHandle,
  ReleaseRequest,
  ReservedIpClient,
  ReserveRequest,
  UnassignRequest,
} from './types.ts';

/** Options of {@link createReservedIpClient}. */
export interface ReservedIpClientOptions {
  temporal: Client;
  /** With it verdicts come from the database at once; without it from the workflow, which needs a running worker. */
  desk?: AdmissionDesk;
  /** Asks Temporal to hand the first task to a worker in this very process; needs its native connection. */
  eager?: boolean;
  /**
   * Milliseconds in which an operation must be admitted, or is refused for good. Default 1,700 with a desk, 10,000
   * without. Clocks of starters and database must agree to well within it.
   */
  admissionWindowMs?: number;
  /** Name of the service that this client is for, as the audit log has it; default `internal`. */
  service?: string;
}

/** The fields every operation has, besides what it is asked to do. */
type OperationFields = Pick<
  Operation,
  'id' | 'accountId' | 'resourceType' | 'admitBefore' | 'starterDecides' | 'requestedBy'
>;

/** The one door to the operations, for the API and for internal services alike. */
export function createReservedIpClient(options: ReservedIpClientOptions): ReservedIpClient {
  const { temporal, desk, eager = false, admissionWindowMs = desk ? 1_700 : 10_000, service = 'internal' } = options;

  /** `build` is called again for every try, because the admission window opens with the start. */
  function start(request: RequestBase, build: (fields: OperationFields) => Operation): Promise<OperationHandle> {
    const id = request.operationId ?? newOperationId();
    const { accountId, resourceType = 'reserved_ip' } = request;
    const asService: Requester = { kind: 'service', name: service, requestId: null, remote: null };
    const { requestedBy = asService } = request;
    const operation = () =>
      build({
        id,
        accountId,
        resourceType,
        admitBefore: new Date(Date.now() + admissionWindowMs).toISOString(),
        starterDecides: desk !== undefined,
        requestedBy,
      });
    if (!desk) return startWithUpdate(temporal, operation());
    return startWithDesk({ temporal, desk, eager }, operation, request.operationId !== undefined);
  }

  /** The same for what has an address already. */
  async function startOn(
    request: RequestBase & { address: string },
    build: (fields: OperationFields & { address: Address }) => Operation,
  ): Promise<OperationHandle> {
    const address = canonical(request.address);
    const { resourceType = resourceTypeOf(address) } = request;
    return start({ ...request, resourceType }, (fields) => build({ ...fields, address }));
  }

  return {
    reserve: (request) =>
      start(request, (fields) => ({
        ...fields,
        kind: 'reserve',
        target: request.target,
        projectId: request.projectId ?? null,
      })),
    assign: (request) => startOn(request, (fields) => ({ ...fields, kind: 'assign', dropletId: request.dropletId })),
    unassign: (request) =>
      startOn(request, (fields) => ({
        ...fields,
        kind: 'unassign',
        destroysDropletId: request.destroysDropletId ?? null,
      })),
    release: (request) => startOn(request, (fields) => ({ ...fields, kind: 'release' })),
  };
}

/** One spelling for every address, because the workflow id is made from it. */
function canonical(text: string): Address {
  const address = parseAddress(text);
  if (address === null) throw new RangeError(`${text} is not an address`);
  return address;
}
