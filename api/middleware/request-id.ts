import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import type { Logger } from 'pino';
import type { ApiEnvironment } from '../context.ts';

const HEADER = 'x-request-id';
const ACCEPTABLE = /^[\w.:-]{1,128}$/;

/** Options of {@link requestId}. */
export interface RequestIdOptions {
  logger: Logger;
}

/** Names the request, as its client does if it does, on the answer and in every line that is logged about it. */
export function requestId({ logger }: RequestIdOptions) {
  return createMiddleware<ApiEnvironment>(async function requestId(c, next) {
    const given = c.req.header(HEADER);
    const id = given && ACCEPTABLE.test(given) ? given : randomUUID();
    c.set('requestId', id);
    c.set('logger', logger.child({ requestId: id }));
    c.header(HEADER, id);
    await next();
  });
}
