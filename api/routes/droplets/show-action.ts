import { createRoute } from '@hono/zod-openapi';
import { findAction } from '../../../db/actions.ts';
import { dropletExists } from '../../../db/droplets.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentAction } from '../../presenters/action.ts';
import { actionAnswer } from '../../schemas/common.ts';
import { numberInPath } from '../../schemas/fields.ts';
import { errorsOfOne, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import { dropletParameter } from './parameters.ts';

const route = createRoute({
  method: 'get',
  path: '/v2/droplets/{droplet_id}/actions/{action_id}',
  operationId: 'dropletActions_get',
  summary: "Show one of a Droplet's actions",
  tags: ['Droplets'],
  ...secured('droplet:read'),
  request: { params: dropletParameter.extend({ action_id: numberInPath }) },
  responses: { 200: jsonAnswer('The action.', actionAnswer), ...errorsOfOne },
});

/** GET /v2/droplets/{droplet_id}/actions/{action_id} */
export function registerShowDropletAction(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const { droplet_id, action_id } = c.req.valid('param');
    if (!(await dropletExists(db, accountId, droplet_id))) throw notFound();
    const action = await findAction(db, { accountId, dropletId: droplet_id }, action_id);
    if (!action) throw notFound();
    return c.json({ action: presentAction(action) }, 200);
  });
}
