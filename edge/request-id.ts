import { createMiddleware } from 'hono/factory';
import type { Logger } from 'pino';
import { requestIdFrom } from '../platform/http/request-id.ts';
import type { EdgeEnvironment } from './forward.ts';

/** Names the request, as its client does if it does. */
export function requestId(logger: Logger) {
  return createMiddleware<EdgeEnvironment>(async function requestId(c, next) {
    const id = requestIdFrom(c.req.header('x-request-id'));
    c.set('requestId', id);
    c.set('logger', logger.child({ requestId: id }));
    await next();
  });
}
