import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import type { Logger } from 'pino';
import type { EdgeEnvironment } from './forward.ts';

/** What the API takes as a name, too. */
const ACCEPTABLE = /^[\w.:-]{1,128}$/;

/** Names the request, as its client does if it does. */
export function requestId(logger: Logger) {
  return createMiddleware<EdgeEnvironment>(async function requestId(c, next) {
    const given = c.req.header('x-request-id');
    const id = given && ACCEPTABLE.test(given) ? given : randomUUID();
    c.set('requestId', id);
    c.set('logger', logger.child({ requestId: id }));
    await next();
  });
}
