import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import type { LineBudget } from '../fairness/line-budget.ts';

/**
 * Writes one line for each request, and of those that are rejected no more than the budget allows. Headers and query are
 * left out, since tokens may be in them.
 */
export function accessLog(rejectedLines: LineBudget) {
  return createMiddleware<ApiEnvironment>(async function accessLog(c, next) {
    const startedAt = performance.now();
    await next();
    const milliseconds = Math.round((performance.now() - startedAt) * 100) / 100;
    const { status } = c.res;
    if (status >= 400 && status < 500 && !rejectedLines.allows(`request ${status}`)) return;
    c.var.logger.info({ method: c.req.method, path: c.req.path, status, milliseconds }, 'request');
  });
}
