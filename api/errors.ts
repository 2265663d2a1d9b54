import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { OperationInDoubtError, OperationUnavailableError } from '../client/errors.ts';
import { isDatabaseUnavailable } from '../db/bounded.ts';
import type { DropletCreation } from '../db/create-droplet.ts';
import { CommitInDoubtError } from '../db/errors.ts';
import type { RejectionReason } from '../domain/decision.ts';
import type { ResourceType } from '../domain/operation.ts';

/*
 * The one home of the mapping from what went wrong to what a v2 client reads.
 */

/** An answer other than success; `id` and `message` are what v2 clients read. */
export class ApiError extends Error {
  readonly status: ContentfulStatusCode;
  readonly id: string;
  /** Seconds, for the Retry-After header. */
  readonly retryAfter: number | null;

  constructor(status: ContentfulStatusCode, id: string, message: string, retryAfter: number | null = null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.id = id;
    this.retryAfter = retryAfter;
  }
}

export const badRequest = (message: string) => new ApiError(400, 'bad_request', message);
export const unauthorized = () => new ApiError(401, 'unauthorized', 'Unable to authenticate you.');
export const forbidden = () => new ApiError(403, 'forbidden', 'You do not have permission to perform this action.');
export const notFound = () => new ApiError(404, 'not_found', 'The resource you requested could not be found.');
export const methodNotAllowed = () => new ApiError(405, 'method_not_allowed', 'This method is not allowed here.');
export const conflict = (message: string) => new ApiError(409, 'conflict', message);
export const payloadTooLarge = (limit: number) =>
  new ApiError(413, 'payload_too_large', `The request body may be ${limit} bytes at most.`);
export const unprocessable = (message: string) => new ApiError(422, 'unprocessable_entity', message);
export const tooManyRequests = (retryAfter: number) =>
  new ApiError(429, 'too_many_requests', 'API rate limit exceeded.', retryAfter);
export const serverError = () => new ApiError(500, 'server_error', 'Unexpected server-side error.');
export const serviceUnavailable = () =>
  new ApiError(503, 'service_unavailable', 'The service is temporarily unavailable. Nothing was changed.', 1);
/** MySQL did not answer; unlike {@link serviceUnavailable} this says nothing about what was changed. */
const databaseUnavailable = () =>
  new ApiError(503, 'service_unavailable', 'The service is temporarily unavailable. Please try again.', 1);
/** Whether something was changed is not known; repeated under its key the request is carried on, not done twice. */
export const outcomeUnknown = () =>
  new ApiError(
    504,
    'gateway_timeout',
    'It is not known whether the request was carried out. Repeat it with its Idempotency-Key, or look at the resource.',
    1,
  );

/** A handler was too slow; like {@link databaseUnavailable} this says nothing about what was changed. */
export const tookTooLong = databaseUnavailable;

/** The answer to whatever was thrown. What nothing here knows is a 500 that tells the client no details. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof OperationUnavailableError) return serviceUnavailable();
  if (error instanceof OperationInDoubtError || error instanceof CommitInDoubtError) return outcomeUnknown();
  if (isDatabaseUnavailable(error)) return databaseUnavailable();
  if (error instanceof HTTPException && error.status < 500) return badRequest(`${error.message}.`);
  return serverError();
}

/** Whether the error says that the operation was not started and never will be. */
export function neverHappened(error: unknown): boolean {
  return error instanceof OperationUnavailableError || (error instanceof ApiError && error.status === 503);
}

const ADDRESS_NOUNS: Record<ResourceType, string> = {
  reserved_ip: 'reserved IP',
  floating_ip: 'floating IP',
  reserved_ipv6: 'reserved IPv6',
};

/** The v2 answer to a rejected operation; the wording names the address as the path did. */
export function rejectionToError(rejection: RejectionReason, resourceType: ResourceType): ApiError {
  const noun = ADDRESS_NOUNS[resourceType];
  switch (rejection) {
    case 'address_not_found':
    case 'droplet_not_found':
      return notFound();
    case 'region_not_found':
      return unprocessable('The region is invalid or not available.');
    case 'address_pending':
      return unprocessable(`The ${noun} already has a pending event.`);
    case 'droplet_pending':
      return unprocessable('Droplet already has a pending event.');
    case 'droplet_has_address':
      return unprocessable(`The Droplet already has a ${noun} assigned to it.`);
    case 'already_assigned':
      return unprocessable(`The ${noun} is already assigned to this Droplet.`);
    case 'not_assigned':
      return unprocessable(`The ${noun} is not assigned to a Droplet.`);
    case 'still_assigned':
      return badRequest(`The ${noun} is assigned to a Droplet. Unassign it first.`);
    case 'region_mismatch':
      return unprocessable(`The Droplet and the ${noun} must be in the same region.`);
    case 'limit_reached':
      return unprocessable(`You have reached the limit of ${noun}s of your account.`);
    case 'droplet_unreachable':
      return unprocessable('The Droplet is on a host that is out of service.');
    case 'pool_exhausted':
      return unprocessable(`There is no ${noun} available in this region.`);
    case 'cooldown_limit_reached':
      return unprocessable(
        `Too many ${noun}s that your account deleted in this region are still in cooldown. Try again in a few minutes.`,
      );
    case 'pool_share_reached':
      return unprocessable(`Your account has used up its share of the ${noun}s in this region. Try again later.`);
    case 'expired':
      return serviceUnavailable();
  }
}

/** The v2 answer to a droplet that could not be made. */
export function dropletCreationToError(kind: Exclude<DropletCreation['kind'], 'created'>): ApiError {
  switch (kind) {
    case 'region_not_found':
      return rejectionToError('region_not_found', 'reserved_ip');
    case 'limit_reached':
      return unprocessable('You have reached the Droplet limit of your account.');
    case 'no_capacity':
      return unprocessable('There is no capacity for another Droplet in this region.');
  }
}
