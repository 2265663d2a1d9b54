import { createRoute } from '@hono/zod-openapi';
import { findAction } from '../../../db/actions.ts';
import { findAddressId } from '../../../db/reserved-ips.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentAction } from '../../presenters/action.ts';
import { actionAnswer } from '../../schemas/common.ts';
import { numberInPath } from '../../schemas/fields.ts';
import { errorsOfOne, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

/** GET /v2/reserved_ips/{ip}/actions/{action_id} */
export function registerShowReservedIpAction(app: ApiApp, { db }: ApiDependencies, resource: NamedResource): void {
  const route = createRoute({
    method: 'get',
    path: `${resource.path}/{ip}/actions/{action_id}`,
    operationId: `${resource.operationPrefix}Actions_get`,
    summary: "One of an address's actions",
    tags: [resource.tag],
    ...secured('reserved_ip:read'),
    request: { params: resource.parameter.extend({ action_id: numberInPath }) },
    responses: { 200: jsonAnswer('The action.', actionAnswer), ...errorsOfOne },
  });
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const { ip, action_id } = c.req.valid('param');
    const addressId = await findAddressId(db, accountId, ip);
    if (addressId === null) throw notFound();
    const action = await findAction(db, { accountId, addressId }, action_id);
    if (!action) throw notFound();
    return c.json({ action: presentAction(action, resource.resourceType) }, 200);
  });
}
