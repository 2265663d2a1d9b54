import { createRoute } from '@hono/zod-openapi';
import { listActions } from '../../../db/actions.ts';
import { findAddressId } from '../../../db/reserved-ips.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { presentAction } from '../../presenters/action.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { actionListAnswer } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/fields.ts';
import { errorsOfNestedList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

/** GET /v2/reserved_ips/{ip}/actions */
export function registerListReservedIpActions(app: ApiApp, { db }: ApiDependencies, resource: NamedResource): void {
  const route = createRoute({
    method: 'get',
    path: `${resource.path}/{ip}/actions`,
    operationId: `${resource.operationPrefix}Actions_list`,
    summary: "An address's actions, newest first",
    tags: [resource.tag],
    ...secured('reserved_ip:read'),
    request: { params: resource.parameter, query: pageQuery },
    responses: { 200: jsonAnswer('One page of actions.', actionListAnswer), ...errorsOfNestedList },
  });
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const addressId = await findAddressId(db, accountId, c.req.valid('param').ip);
    if (addressId === null) throw notFound();
    const request = pageRequest(c.req.valid('query'));
    const page = await listActions(db, { accountId, addressId }, request);
    const actions = page.entries.map((action) => presentAction(action, resource.resourceType));
    return c.json({ actions, ...presentPage(c.req, request, page) }, 200);
  });
}
