/** What is wrong with a request that no handler sees; in the log, as it may hold nothing that was sent. */
export type RejectionReason =
  | 'host'
  | 'form'
  | 'authority'
  | 'character'
  | 'dot_segment'
  | 'path'
  | 'expectation'
  | 'syntax'
  | 'timeout'
  | 'header_size'
  | 'chunk_size';

/** A request is answered before any handler sees it. */
export class RequestRejectedError extends Error {
  readonly status: 400 | 404 | 408 | 413 | 417 | 431;
  /** What v2 clients read. */
  readonly id: string;
  readonly reason: RejectionReason;

  constructor(status: RequestRejectedError['status'], id: string, reason: RejectionReason, message: string) {
    super(message);
    this.name = 'RequestRejectedError';
    this.status = status;
    this.id = id;
    this.reason = reason;
  }
}

/** The request is malformed, or can be read in two ways. */
export function malformed(reason: RejectionReason, message: string): RequestRejectedError {
  return new RequestRejectedError(400, 'bad_request', reason, message);
}

/** The path is well formed, but written as no path of any server here is. */
export function nothingThere(): RequestRejectedError {
  return new RequestRejectedError(404, 'not_found', 'path', 'The resource you requested could not be found.');
}
