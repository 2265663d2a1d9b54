import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import { readUtf8Body } from '../utf8-body.ts';

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
      await readUtf8Body(c);
    }
    await next();
  });
}
