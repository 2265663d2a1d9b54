import { createRoute } from '@hono/zod-openapi';
import { listActions } from '../../../db/actions.ts';
import { dropletExists } from '../../../db/droplets.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentAction } from '../../presenters/action.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { actionListAnswer } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/fields.ts';
import { errorsOfNestedList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import { dropletParameter } from './parameters.ts';

const route = createRoute({
  method: 'get',
  path: '/v2/droplets/{droplet_id}/actions',
  operationId: 'dropletActions_list',
  summary: "List a Droplet's actions and those of its addresses, newest first",
  tags: ['Droplets'],
  ...secured('droplet:read'),
  request: { params: dropletParameter, query: pageQuery },
  responses: { 200: jsonAnswer('One page of actions.', actionListAnswer), ...errorsOfNestedList },
});

/** GET /v2/droplets/{droplet_id}/actions */
export function registerListDropletActions(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const { droplet_id } = c.req.valid('param');
    if (!(await dropletExists(db, accountId, droplet_id))) throw notFound();
    const request = pageRequest(c.req.valid('query'));
    const page = await listActions(db, { accountId, dropletId: droplet_id }, request);
    const actions = page.entries.map((action) => presentAction(action));
    return c.json({ actions, ...presentPage(c.req, request, page) }, 200);
  });
}
