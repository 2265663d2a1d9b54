import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** An answer other than success, in the v2 form. */
export class LegacyError extends Error {
  readonly status: ContentfulStatusCode;
  readonly id: string;

  constructor(status: ContentfulStatusCode, id: string, message: string) {
    super(message);
    this.name = 'LegacyError';
    this.status = status;
    this.id = id;
  }
}

export const badRequest = (message: string) => new LegacyError(400, 'bad_request', message);
export const unauthorized = () => new LegacyError(401, 'unauthorized', 'Unable to authenticate you.');
export const forbidden = () => new LegacyError(403, 'forbidden', 'You do not have permission to perform this action.');
export const notFound = () => new LegacyError(404, 'not_found', 'The resource you requested could not be found.');
export const unprocessable = (message: string) => new LegacyError(422, 'unprocessable_entity', message);
/** Whatever nobody has thought of: a lost connection, a deadlock, a key that was there already. */
export const serverError = () => new LegacyError(500, 'server_error', 'Unexpected server-side error.');
