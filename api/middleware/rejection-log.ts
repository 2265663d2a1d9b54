import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';
import type { LineBudget } from '../fairness/line-budget.ts';

/**
 * Logs a warning for each rejected request, by one line of bounded length and within the budget, so that operators notice a
 * caller that goes wrong. Headers, query and body are not logged, since they may contain tokens.
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
