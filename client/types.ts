import type { Decision, Outcome } from '../domain/decision.ts';
import type { OperationId } from '../domain/identifiers.ts';
import type { OperationKind, ReserveOperation, ResourceType } from '../domain/operation.ts';
import type { Requester } from '../domain/requester.ts';

/** What every request may carry. */
export interface RequestBase {
  accountId: number;
  /**
   * How v2 clients see the action. By default `reserved_ip`, or `reserved_ipv6` for an IPv6 address; to reserve an IPv6
   * address, say `reserved_ipv6`.
   */
  resourceType?: ResourceType;
  /** Given by a caller that repeats a request it has already made under this id; otherwise a new one is made. */
  operationId?: OperationId;
  /** Who asked for it, for the audit log; by default the service that this client was made for. */
  requestedBy?: Requester;
}

export interface ReserveRequest extends RequestBase {
  target: ReserveOperation['target'];
  projectId?: string | null;
}

export interface AssignRequest extends RequestBase {
  /** In any spelling; so in the other requests. */
  address: string;
  dropletId: number;
}

export interface UnassignRequest extends RequestBase {
  address: string;
  /**
   * Destroys this droplet, which must be the one that holds the address: the operation that takes the last address off
   * it destroys it.
   */
  destroysDropletId?: number | null;
}

export interface ReleaseRequest extends RequestBase {
  address: string;
}

/** An operation whose decision is known. */
export interface OperationHandle {
  operationId: OperationId;
  workflowId: string;
  decision: Decision;
  /**
   * Waits until the operation has ended: completed, or rejected.
   * Throws Temporal's WorkflowFailedError when it errored and was undone.
   */
  completed(): Promise<Outcome>;
}

/** What each kind of operation is asked for by. */
export interface OperationRequests {
  reserve: ReserveRequest;
  assign: AssignRequest;
  unassign: UnassignRequest;
  release: ReleaseRequest;
}

/**
 * The one door to the operations. Every method throws {@link OperationUnavailableError} when the operation will not
 * happen, {@link OperationInDoubtError} when that cannot be told, and a RangeError for what is no address.
 */
export type ReservedIpClient = {
  [Kind in OperationKind]: (request: OperationRequests[Kind]) => Promise<OperationHandle>;
};
