import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';

/**
 * Warns of each request that is refused, by one line, so that an operator sees a caller go wrong. Of
 * headers, query and body nothing is logged, since tokens may be in them.
 */
export function refusalLog() {
  return createMiddleware<ApiEnvironment>(async function refusalLog(c, next) {
    await next();
    const { status } = c.res;
    if (status < 400 || status >= 500) return;
    const reason = c.error?.message ?? null;
    c.var.logger.warn({ method: c.req.method, path: c.req.path, status, reason }, 'request refused');
  });
}
