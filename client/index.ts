import type { Client } from '@temporalio/client';
import type { Operation } from '../domain/operation.ts';
import type { Requester } from '../domain/requester.ts';
import { clientOf } from './operations.ts';
import { startWithUpdate } from './start-with-update.ts';
import type { OperationHandle, RequestBase, ReservedIpClient } from './types.ts';

export type { Decision, Outcome } from '../domain/decision.ts';
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
  /**
   * Milliseconds in which an operation must be admitted, or is rejected for good; default 10,000. Clocks of services and
   * database must agree to well within it.
   */
  admissionWindowMs?: number;
  /** Name of the service that this client is for, as the audit log has it; default `internal`. */
  service?: string;
}

/**
 * The door to the operations for services that reach Temporal and no database: decisions come from the workflows, so a
 * worker must be running.
 */
export function createReservedIpClient(options: ReservedIpClientOptions): ReservedIpClient {
  const { temporal, admissionWindowMs = 10_000, service = 'internal' } = options;
  const requestedBy: Requester = { kind: 'service', name: service, requestId: null, remote: null };

  async function start<Request extends RequestBase>(
    request: Request,
    build: (request: Request) => Operation,
  ): Promise<OperationHandle> {
    const admitBefore = new Date(Date.now() + admissionWindowMs).toISOString();
    return startWithUpdate(temporal, { ...build({ requestedBy, ...request }), admitBefore });
  }

  return clientOf(start);
}
