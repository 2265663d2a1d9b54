import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';

/** Writes one line for each request. Headers and query are left out, since tokens may be in them. */
export function accessLog() {
  return createMiddleware<ApiEnvironment>(async function accessLog(c, next) {
    const startedAt = performance.now();
    await next();
    const milliseconds = Math.round((performance.now() - startedAt) * 100) / 100;
    c.var.logger.info({ method: c.req.method, path: c.req.path, status: c.res.status, milliseconds }, 'request');
  });
}
