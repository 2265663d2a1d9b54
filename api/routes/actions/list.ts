import { createRoute } from '@hono/zod-openapi';
import { listActions } from '../../../db/actions.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { presentAction } from '../../presenters/action.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { actionListAnswer } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/fields.ts';
import { errorsOfList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';

const route = createRoute({
  method: 'get',
  path: '/v2/actions',
  operationId: 'actions_list',
  summary: 'List all actions of the account, newest first',
  tags: ['Actions'],
  ...secured('actions:read'),
  request: { query: pageQuery },
  responses: { 200: jsonAnswer('One page of actions.', actionListAnswer), ...errorsOfList },
});

/** GET /v2/actions */
export function registerListActions(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const request = pageRequest(c.req.valid('query'));
    const page = await listActions(db, { accountId: c.var.caller.accountId }, request);
    const actions = page.entries.map((action) => presentAction(action));
    return c.json({ actions, ...presentPage(c.req, request, page) }, 200);
  });
}
