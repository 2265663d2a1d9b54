import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../../db/audit-log.ts';
import { declareHostGone, declareHostReturned } from '../../../../db/hosts.ts';
import type { ApiApp, ApiDependencies } from '../../../context.ts';
import { notFound } from '../../../errors.ts';
import { operatorEntry } from '../operator-entry.ts';
import { internal, jsonAnswer } from '../route.ts';
import { hostAnswerSchema, hostSchema, params, presentHostNamed } from './host.ts';
import { notifyOrphans } from './notify-orphans.ts';

const goneRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/gone',
  summary: 'Declare that a host is gone and no longer announces any address',
  description: 'Its open detach commands are recorded as applied, its open attach commands as failed.',
  ...internal,
  request: { params },
  responses: {
    200: jsonAnswer(
      'The host, and how many of its open commands were given an outcome.',
      z.object({
        host: hostSchema,
        answered_events: z.int(),
        untold_operations: z.int().openapi({
          description: 'Operations that could not be notified at once; they notice at their next attempt.',
        }),
      }),
    ),
  },
});

const returnedRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/returned',
  summary: 'Return a host that was gone to service',
  ...internal,
  request: { params },
  responses: { 200: jsonAnswer('The host.', hostAnswerSchema) },
});

/** The operator's word on whether a host is there. */
export function registerHostDeclarations(app: ApiApp, { db, acknowledgments }: ApiDependencies): void {
  app.openapi(goneRoute, async (c) => {
    const { name } = c.req.valid('param');
    const commands = await recorded(
      db,
      (tx) => declareHostGone(tx, name),
      (answered) =>
        answered && operatorEntry(c, 'host gone', `host ${name}`, { detail: `${answered.length} commands` }),
    );
    if (!commands) throw notFound();
    const unnotified = await notifyOrphans(acknowledgments, c.var.logger, name, commands);
    return c.json(
      { host: await presentHostNamed(db, name), answered_events: commands.length, untold_operations: unnotified },
      200,
    );
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
