import { createMiddleware } from 'hono/factory';
import type { Logger } from 'pino';
import { requestIdFrom } from '../../platform/http/request-id.ts';
import type { ApiEnvironment } from '../context.ts';

const HEADER = 'x-request-id';

/** Options of {@link requestId}. */
export interface RequestIdOptions {
  logger: Logger;
}

/** Names the request, as its client does if it does, on the answer and in every line that is logged about it. */
export function requestId({ logger }: RequestIdOptions) {
  return createMiddleware<ApiEnvironment>(async function requestId(c, next) {
    const id = requestIdFrom(c.req.header(HEADER));
    c.set('requestId', id);
    c.set('logger', logger.child({ requestId: id }));
    c.header(HEADER, id);
    await next();
  });
}
