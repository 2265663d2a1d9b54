import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../../context.ts';
import { badRequest } from '../../errors.ts';
import { readUtf8Body } from '../../utf8-body.ts';

const JSON_TYPE = /^application\/json *(;|$)/i;

/** Lets only bodies through that say they are JSON and are text. Agents are programs of ours, so nothing is guessed. */
export function jsonOnly() {
  return createMiddleware<ApiEnvironment>(async function jsonOnly(c, next) {
    if (c.req.method === 'POST') {
      if (!JSON_TYPE.test(c.req.header('content-type') ?? '')) throw badRequest('The body must be application/json.');
      await readUtf8Body(c);
    }
    await next();
  });
}
