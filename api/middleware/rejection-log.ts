import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import type { LineBudget } from '../fairness/line-budget.ts';

/**
 * Warns of the requests that are rejected, each by one line of bounded length as far as the budget goes, so that an operator
 * sees a caller go wrong. Of headers, query and body nothing is logged, since tokens may be in them.
 */
export function rejectionLog(rejectedLines: LineBudget) {
  return createMiddleware<ApiEnvironment>(async function rejectionLog(c, next) {
    await next();
    const { status } = c.res;
    if (status < 400 || status >= 500 || !rejectedLines.allows(`rejected ${status}`)) return;
    const reason = c.error?.message ?? null;
    c.var.logger.warn({ method: c.req.method, path: c.req.path, status, reason }, 'request rejected');
  });
}
