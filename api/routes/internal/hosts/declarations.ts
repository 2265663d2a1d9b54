import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../../db/audit-log.ts';
import { declareHostGone, declareHostReturned } from '../../../../db/hosts.ts';
import type { ApiApp, ApiDependencies } from '../../../context.ts';
import { notFound } from '../../../errors.ts';
import { operatorEntry } from '../operator-entry.ts';
import { internal, jsonAnswer } from '../route.ts';
import { hostAnswerSchema, hostSchema, params, presentHostNamed } from './host.ts';
import { notifyOrphans } from './tell-orphans.ts';

const goneRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/gone',
  summary: 'Declare that a host is gone and announces no address any more',
  description: 'Its open detaches count as applied, its open attaches as failed.',
  ...internal,
  request: { params },
  responses: {
    200: jsonAnswer(
      'The host, and how many open events were answered in its stead.',
      z.object({
        host: hostSchema,
        answered_events: z.int(),
        untold_operations: z.int().openapi({
          description: 'Operations that could not be told at once; they find out when they next look.',
        }),
      }),
    ),
  },
});

const returnedRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/returned',
  summary: 'Take a host that was gone back into service',
  ...internal,
  request: { params },
  responses: { 200: jsonAnswer('The host.', hostAnswerSchema) },
});

/** The operator's word on whether a host is there. */
export function registerHostDeclarations(app: ApiApp, { db, acknowledgments }: ApiDependencies): void {
  app.openapi(goneRoute, async (c) => {
    const { name } = c.req.valid('param');
    const events = await recorded(
      db,
      (tx) => declareHostGone(tx, name),
      (answered) => answered && operatorEntry(c, 'host gone', `host ${name}`, { detail: `${answered.length} events` }),
    );
    if (!events) throw notFound();
    const untold = await notifyOrphans(acknowledgments, c.var.logger, name, events);
    const host = await presentHostNamed(db, name);
    return c.json({ host, answered_events: events.length, untold_operations: untold }, 200);
  });

  app.openapi(returnedRoute, async (c) => {
    const { name } = c.req.valid('param');
    const returned = await recorded(
      db,
      (tx) => declareHostReturned(tx, name),
      (done) => (done ? operatorEntry(c, 'host returned', `host ${name}`) : null),
    );
    if (!returned) throw notFound();
    return c.json({ host: await presentHostNamed(db, name) }, 200);
  });
}
