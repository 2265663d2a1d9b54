import { isUtf8 } from 'node:buffer';
import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import { badRequest } from '../errors.ts';

const JSON_TYPE = 'application/json';

/** Reads every body as JSON, whatever type it claims or lacks: the v2 API knows no other, and `curl -d` names a wrong one. */
export function jsonBody() {
  return createMiddleware<ApiEnvironment>(async function jsonBody(c, next) {
    if (c.req.method === 'POST') {
      if (c.req.header('content-type') !== JSON_TYPE) {
        const headers = new Headers(c.req.raw.headers);
        headers.set('content-type', JSON_TYPE);
        c.req.raw = new Request(c.req.raw, { headers });
      }
      // Decoding alone would put a replacement character where there is no text, and go on with that.
      if (!isUtf8(Buffer.from(await c.req.arrayBuffer()))) throw badRequest('The request body is not UTF-8.');
    }
    await next();
  });
}
