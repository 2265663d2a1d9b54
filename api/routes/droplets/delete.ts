import { createRoute } from '@hono/zod-openapi';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { destroyDroplet } from '../../operations/destroy-droplet.ts';
import { requesterOf } from '../../requester.ts';
import { emptyAnswer, errorsOfChange } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import { dropletParameter } from './parameters.ts';

const route = createRoute({
  method: 'delete',
  path: '/v2/droplets/{droplet_id}',
  operationId: 'droplets_destroy',
  summary: 'Delete a Droplet and unassign its addresses',
  tags: ['Droplets'],
  ...secured('droplet:delete'),
  request: { params: dropletParameter },
  responses: { 204: emptyAnswer, ...errorsOfChange },
});

/** DELETE /v2/droplets/{droplet_id} */
export function registerDeleteDroplet(app: ApiApp, dependencies: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const droplet = { accountId, dropletId: c.req.valid('param').droplet_id };
    await destroyDroplet(dependencies, droplet, requesterOf(c));
    return c.body(null, 204);
  });
}
