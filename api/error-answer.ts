import type { Context } from 'hono';
import type { ApiEnvironment } from './context.ts';
import { toApiError } from './errors.ts';

/** Answers an error in the v2 form, and logs the details that clients do not see. */
export function answerError(thrown: Error, c: Context<ApiEnvironment>): Response {
  const error = toApiError(thrown);
  const { requestId, logger } = c.var;
  const request = { method: c.req.method, path: c.req.path };
  if (error.status === 503) logger.warn({ ...request, reason: thrown.message }, 'request not served');
  else if (error.status >= 500) logger.error({ ...request, err: thrown }, 'request failed');
  if (error.retryAfter !== null) c.header('retry-after', String(error.retryAfter));
  return c.json({ id: error.id, message: error.message, request_id: requestId }, error.status);
}
