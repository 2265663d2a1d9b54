import { createRoute, z } from '@hono/zod-openapi';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { reserveAddress } from '../../operations/reserve-address.ts';
import { actionLink, dropletLink } from '../../presenters/links.ts';
import { requesterOf } from '../../requester.ts';
import { actionLinkSchema } from '../../schemas/common.ts';
import { createReservedIpRequest, type ReservedIpBody } from '../../schemas/reserved-ip.ts';
import { errorsOfChange, idempotencyHeader, jsonAnswer, jsonRequest } from '../../schemas/responses.ts';
import { securedPost } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

const linksSchema = z.object({
  droplets: z.array(actionLinkSchema).optional(),
  actions: z.array(actionLinkSchema).optional(),
});

/** POST /v2/reserved_ips */
export function registerCreateReservedIp(
  app: ApiApp,
  dependencies: ApiDependencies,
  resource: NamedResource<ReservedIpBody>,
): void {
  const answer = z.object({ [resource.one]: resource.schema, links: linksSchema });
  const route = createRoute({
    method: 'post',
    path: resource.path,
    operationId: `${resource.operationPrefix}_create`,
    summary: 'Reserve an address in a region, or for a Droplet',
    tags: [resource.tag],
    ...securedPost('reserved_ip:create', dependencies),
    request: { headers: idempotencyHeader, body: jsonRequest(createReservedIpRequest) },
    responses: { 202: jsonAnswer('The address; with a Droplet, it is on its way there.', answer), ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const { target, projectId } = c.req.valid('json');
    const { reserved, actionId } = await reserveAddress(dependencies, {
      accountId,
      resourceType: resource.resourceType,
      operationId: c.var.operationId,
      requestedBy: requesterOf(c),
      target,
      projectId,
    });
    const body = resource.present(reserved);
    if (target.dropletId === null) return c.json({ [resource.one]: body, links: {} }, 202);
    const links = {
      droplets: [dropletLink(c.req, target.dropletId)],
      actions: [actionLink(c.req, actionId, 'assign_ip')],
    };
    return c.json({ [resource.one]: body, links }, 202);
  });
}
