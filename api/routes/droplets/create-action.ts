import { createRoute } from '@hono/zod-openapi';
import { findAction } from '../../../db/actions.ts';
import { recorded } from '../../../db/audit-log.ts';
import { renameDroplet } from '../../../db/droplet-changes.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { dropletEntry } from '../../operations/droplet-entry.ts';
import { presentAction } from '../../presenters/action.ts';
import { requesterOf } from '../../requester.ts';
import { actionAnswer } from '../../schemas/common.ts';
import { dropletActionRequest } from '../../schemas/droplet-requests.ts';
import { errorsOfChange, idempotencyHeader, jsonAnswer, jsonRequest } from '../../schemas/responses.ts';
import { securedPost } from '../secured.ts';
import { dropletParameter } from './parameters.ts';

/** POST /v2/droplets/{droplet_id}/actions */
export function registerCreateDropletAction(app: ApiApp, dependencies: ApiDependencies): void {
  const route = createRoute({
    method: 'post',
    path: '/v2/droplets/{droplet_id}/actions',
    operationId: 'dropletActions_post',
    summary: 'Rename a Droplet',
    tags: ['Droplets'],
    ...securedPost('droplet:update', dependencies),
    request: { params: dropletParameter, headers: idempotencyHeader, body: jsonRequest(dropletActionRequest) },
    responses: { 201: jsonAnswer('The completed action.', actionAnswer), ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const droplet = { accountId, dropletId: c.req.valid('param').droplet_id };
    const { name } = c.req.valid('json');
    const action = await recorded(
      dependencies.db,
      async (tx) => {
        const actionId = await renameDroplet(tx, droplet, name, c.var.operationId);
        return actionId === null ? null : findAction(tx, { accountId }, actionId);
      },
      (renamed) => (renamed === null ? null : dropletEntry(requesterOf(c), droplet, 'rename droplet')),
    );
    if (action === null) throw notFound();
    return c.json({ action: presentAction(action) }, 201);
  });
}
