import { isUtf8 } from 'node:buffer';
import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../../context.ts';
import { badRequest } from '../../errors.ts';

const JSON_TYPE = /^application\/json *(;|$)/i;

/** Lets only bodies through that say they are JSON and are text. Agents are programs of ours, so nothing is guessed. */
export function jsonOnly() {
  return createMiddleware<ApiEnvironment>(async function jsonOnly(c, next) {
    if (c.req.method === 'POST') {
      if (!JSON_TYPE.test(c.req.header('content-type') ?? '')) throw badRequest('The body must be application/json.');
      // Decoding alone would put a replacement character where there is no text, and go on with that.
      if (!isUtf8(Buffer.from(await c.req.arrayBuffer()))) throw badRequest('The request body is not UTF-8.');
    }
    await next();
  });
}
