import { z } from 'zod';
import { ReadableError, reasonOf } from '../text/readable-error.ts';
import { shown } from '../text/visible.ts';

const bodySchema = z.object({ id: z.string(), message: z.string(), request_id: z.string().optional() });
const LONGEST_TEXT = 300;

/** What an {@link ApiError} knows. */
export interface ApiErrorFields {
  /** HTTP status; null when there was no answer, or it broke off. */
  status: number | null;
  /** The API's name for the error, such as `not_found`; null when the answer has none. */
  id: string | null;
  /** What the API says to its caller, or the reason why it did not answer. */
  reason: string;
  /** Under which the API has logged the request. */
  requestId: string | null;
  /** Seconds until it is worth another try, where the API says so. */
  retryAfterSeconds: number | null;
}

/** The API did not answer a request with success, or did not answer at all. */
export class ApiError extends ReadableError implements ApiErrorFields {
  override readonly name = 'ApiError';
  readonly status: number | null;
  readonly id: string | null;
  readonly reason: string;
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(message: string, fields: ApiErrorFields, cause?: unknown) {
    super(message, { cause });
    this.status = fields.status;
    this.id = fields.id;
    this.reason = fields.reason;
    this.requestId = fields.requestId;
    this.retryAfterSeconds = fields.retryAfterSeconds;
  }

  /** Of an answer that is no success. */
  static answered({ method, url }: Request, { status, headers }: Response, text: string): ApiError {
    const body = bodySchema.safeParse(parseJson(text)).data;
    const retryAfter = headers.get('retry-after');
    const fields: ApiErrorFields = {
      status,
      id: body?.id ?? null,
      reason: body?.message ?? text.slice(0, LONGEST_TEXT),
      requestId: body?.request_id ?? headers.get('x-request-id'),
      retryAfterSeconds: retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null,
    };
    const request = fields.requestId === null ? '' : shown`, request ${fields.requestId}`;
    const message = shown`${fields.reason} (${status}) [${method} ${new URL(url).pathname}`;
    return new ApiError(`${message}${request}]`, fields);
  }

  /** Of a request without an answer, or with one that broke off. */
  static unanswered({ url }: Request, cause: unknown): ApiError {
    const reason = reasonOf(cause);
    const fields = { status: null, id: null, reason, requestId: null, retryAfterSeconds: null };
    return new ApiError(shown`${new URL(url).origin} does not answer: ${reason}`, fields, cause);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
