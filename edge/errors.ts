import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** How an upstream failed. `refused`: it could not be connected to. `broken`: the connection ended before the answer. */
export type UpstreamFailure = 'refused' | 'timeout' | 'broken';

/** An upstream did not answer. */
export class UpstreamError extends Error {
  readonly failure: UpstreamFailure;
  /** Whether any of the request may have reached the upstream. */
  readonly sent: boolean;

  constructor(failure: UpstreamFailure, sent: boolean, cause: unknown) {
    super(`the upstream did not answer: ${failure}`, { cause });
    this.name = 'UpstreamError';
    this.failure = failure;
    this.sent = sent;
  }
}

/** A request that has a flag has a body that no upstream takes. */
export class BodyTooLargeError extends Error {
  /** Most bytes that are taken. */
  readonly limit: number;
  /** False when the rest of the body is still to come, so the connection cannot be used again. */
  readonly whole: boolean;

  constructor(limit: number, whole: boolean) {
    super(`the body is larger than ${limit} bytes`);
    this.name = 'BodyTooLargeError';
    this.limit = limit;
    this.whole = whole;
  }
}

/** A token that is not known is not looked for: its address has sent too many wrong ones, or too many wait. */
export class UnknownTokenRejectedError extends Error {
  /** Whole seconds until it is looked for. */
  readonly wait: number;

  constructor(wait: number) {
    super('too many unknown tokens');
    this.name = 'UnknownTokenRejectedError';
    this.wait = wait;
  }
}

/** The client has gone away, so there is nobody to answer. */
export class ClientGoneError extends Error {
  constructor() {
    super('the client closed its connection');
    this.name = 'ClientGoneError';
  }
}

/** An answer that the gateway makes itself, in the form that v2 clients read. */
export interface GatewayAnswer {
  status: ContentfulStatusCode;
  id: string;
  message: string;
  /** Seconds; null without a Retry-After. */
  retryAfter: number | null;
}

export const NOT_FOUND: GatewayAnswer = {
  status: 404,
  id: 'not_found',
  message: 'The resource you requested could not be found.',
  retryAfter: null,
};

export const UNEXPECTED: GatewayAnswer = {
  status: 500,
  id: 'server_error',
  message: 'Unexpected server-side error.',
  retryAfter: null,
};

/** As the API says it. */
export function tooLarge({ limit }: BodyTooLargeError): GatewayAnswer {
  const message = `The request body may be ${limit} bytes at most.`;
  return { status: 413, id: 'payload_too_large', message, retryAfter: null };
}

/** As the API says it. */
export function tooManyTokens({ wait }: UnknownTokenRejectedError): GatewayAnswer {
  return { status: 429, id: 'too_many_requests', message: 'API rate limit exceeded.', retryAfter: wait };
}

/**
 * The answer for an upstream that gave none. What was not sent has changed nothing; but an earlier try of the same request
 * may have, so that is said of this request only, in other words than the API's, which are about the whole operation.
 */
export function answerFor({ failure, sent }: UpstreamError, method: string): GatewayAnswer {
  if (!sent) {
    const message = 'The service is temporarily unavailable. This request was not passed on.';
    return { status: 503, id: 'service_unavailable', message, retryAfter: 1 };
  }
  const reads = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  const message = reads
    ? 'The service did not answer. Please try again.'
    : 'It is not known whether the request was carried out. Repeat it with its Idempotency-Key, or look at the resource.';
  return failure === 'timeout'
    ? { status: 504, id: 'gateway_timeout', message, retryAfter: 1 }
    : { status: 502, id: 'bad_gateway', message, retryAfter: 1 };
}
