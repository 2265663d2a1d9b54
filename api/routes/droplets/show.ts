import { createRoute, z } from '@hono/zod-openapi';
import { findDroplet } from '../../../db/droplets.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentDroplet } from '../../presenters/droplet.ts';
import { dropletSchema } from '../../schemas/droplet.ts';
import { errorsOfOne, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import { dropletParameter } from './parameters.ts';

const route = createRoute({
  method: 'get',
  path: '/v2/droplets/{droplet_id}',
  operationId: 'droplets_get',
  summary: 'Show a Droplet',
  tags: ['Droplets'],
  ...secured('droplet:read'),
  request: { params: dropletParameter },
  responses: { 200: jsonAnswer('The Droplet.', z.object({ droplet: dropletSchema })), ...errorsOfOne },
});

/** GET /v2/droplets/{droplet_id} */
export function registerShowDroplet(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const droplet = await findDroplet(db, c.var.caller.accountId, c.req.valid('param').droplet_id);
    if (!droplet) throw notFound();
    return c.json({ droplet: presentDroplet(droplet) }, 200);
  });
}
