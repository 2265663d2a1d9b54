import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';

/** Names the charset of JSON answers, as the v2 API does. */
export function jsonCharset() {
  return createMiddleware<ApiEnvironment>(async function jsonCharset(c, next) {
    await next();
    if (c.res.headers.get('content-type') === 'application/json') {
      c.header('content-type', 'application/json; charset=utf-8');
    }
  });
}
