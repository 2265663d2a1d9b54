import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';

/** Reads every body as JSON, whatever type it claims or lacks: the v2 API knows no other, and `curl -d` names a wrong one. */
export function jsonBody() {
  return createMiddleware<ApiEnvironment>(async function jsonBody(c, next) {
    const isJson = c.req.header('content-type')?.toLowerCase().startsWith('application/json') ?? false;
    if (c.req.method === 'POST' && !isJson) {
      const headers = new Headers(c.req.raw.headers);
      headers.set('content-type', 'application/json');
      c.req.raw = new Request(c.req.raw, { headers });
    }
    await next();
  });
}
