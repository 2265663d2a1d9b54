import { createMiddleware } from 'hono/factory';
import type { ApiEnvironment } from '../context.ts';

/** Most characters of a path or a reason that are logged: both may repeat what was sent. */
const LONGEST_TEXT = 200;

/**
 * Warns of each request that is refused, by one line of bounded length, so that an operator sees a caller go wrong. Of
 * headers, query and body nothing is logged, since tokens may be in them.
 */
export function refusalLog() {
  return createMiddleware<ApiEnvironment>(async function refusalLog(c, next) {
    await next();
    const { status } = c.res;
    if (status < 400 || status >= 500) return;
    const path = c.req.path.slice(0, LONGEST_TEXT);
    const reason = c.error?.message.slice(0, LONGEST_TEXT) ?? null;
    c.var.logger.warn({ method: c.req.method, path, status, reason }, 'request refused');
  });
}
