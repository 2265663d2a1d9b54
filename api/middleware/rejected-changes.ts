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
 * Appends each rejected change to the audit log. Changes that were made are recorded there by their own transactions, and
 * requests that could not be served are in the process's own log. Comes after authentication and rate limit, so that no
 * unknown caller can fill the audit log. When the entry cannot be written, the answer stands and the entry is in a warning.
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
      c.var.logger.warn({ err: error, entry }, 'a rejected change could not be written to the audit log');
    });
  });
}
