import { createRoute, z } from '@hono/zod-openapi';
import { type AuditEntry, listEntries } from '../../../db/audit-log.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { internal, jsonAnswer } from './route.ts';

const number = z.coerce.number().int().positive();
const time = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

const entrySchema = z
  .object({
    id: z.int(),
    at: z.iso.datetime(),
    requester: z.object({
      kind: z.enum(['token', 'admin', 'service']),
      name: z.string().nullable(),
      request_id: z.string().nullable(),
      remote: z.string().nullable(),
    }),
    account_id: z.int().nullable(),
    action: z.string(),
    subject: z.string(),
    outcome: z.enum(['done', 'refused']),
    detail: z.string().nullable(),
    operation_id: z.string().nullable(),
  })
  .openapi('InternalAuditEntry');

const route = createRoute({
  method: 'get',
  path: '/internal/v1/audit-log',
  summary: 'List who asked for which change, and the outcome',
  ...internal,
  request: {
    query: z.object({
      subject: z.string().optional(),
      account: number.optional(),
      since: time.optional(),
      until: time.optional(),
      before: number.optional().openapi({ description: 'Only entries with a lower number.' }),
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
    }),
  },
  responses: { 200: jsonAnswer('Newest first.', z.object({ entries: z.array(entrySchema) })) },
});

/** GET /internal/v1/audit-log */
export function registerAuditLogRoute(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const { account: accountId, ...filter } = c.req.valid('query');
    const entries = await listEntries(db, { ...filter, accountId });
    return c.json({ entries: entries.map(presentEntry) }, 200);
  });
}

function presentEntry({ id, at, requester, accountId, action, subject, outcome, detail, operationId }: AuditEntry) {
  const { kind, name, requestId, remote } = requester;
  return {
    id,
    at: at.toISOString(),
    requester: { kind, name, request_id: requestId, remote },
    account_id: accountId,
    ...{ action, subject, outcome, detail },
    operation_id: operationId,
  };
}
