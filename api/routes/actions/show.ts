import { createRoute, z } from '@hono/zod-openapi';
import { findAction } from '../../../db/actions.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentAction } from '../../presenters/action.ts';
import { actionAnswer } from '../../schemas/common.ts';
import { numberInPath } from '../../schemas/fields.ts';
import { errorsOfOne, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';

const route = createRoute({
  method: 'get',
  path: '/v2/actions/{action_id}',
  operationId: 'actions_get',
  summary: 'Show an action',
  tags: ['Actions'],
  ...secured('actions:read'),
  request: { params: z.object({ action_id: numberInPath }) },
  responses: { 200: jsonAnswer('The action.', actionAnswer), ...errorsOfOne },
});

/** GET /v2/actions/{action_id} */
export function registerShowAction(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const { action_id } = c.req.valid('param');
    const action = await findAction(db, { accountId: c.var.caller.accountId }, action_id);
    if (!action) throw notFound();
    return c.json({ action: presentAction(action) }, 200);
  });
}
