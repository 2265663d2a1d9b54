import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { appendEntry } from '../../db/audit-log.ts';
import type { Database } from '../../db/database.ts';
import type { Requester } from '../../domain/requester.ts';
import type { ApiEnvironment } from '../context.ts';

/** What {@link rejectedChanges} needs. */
export interface RejectedChangesOptions {
  db: Database;
  /** Who is calling, once that is known. */
  requesterOf: (c: Context<ApiEnvironment>) => Requester;
}

const LONGEST_ACTION = 64;

/**
 * Appends each change that was asked for and rejected to the audit log; what was done is there by its own transaction.
 * A request that could not be served is not rejected: it is in the process's own log. Comes after authentication and rate limit, so that nobody unknown can fill the log. The answer stands also when it
 * cannot be written; then a warning has it.
 */
export function rejectedChanges({ db, requesterOf }: RejectedChangesOptions) {
  return createMiddleware<ApiEnvironment>(async function rejectedChanges(c, next) {
    await next();
    const { method } = c.req;
    const { status } = c.res;
    if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || status < 400 || status >= 500) return;
    const entry = {
      requester: requesterOf(c),
      accountId: c.var.caller?.accountId ?? null,
      action: `${method} ${routePath(c, -1)}`.slice(0, LONGEST_ACTION),
      subject: c.req.path,
      outcome: 'refused' as const,
      detail: `${status} ${c.error?.message ?? ''}`.trim(),
      operationId: c.var.operationId ?? null,
    };
    await appendEntry(db, entry).catch((error: unknown) => {
      c.var.logger.warn({ err: error, entry }, 'a rejected change is missing in the audit log');
    });
  });
}
