import { createRoute, z } from '@hono/zod-openapi';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { reserveAddress } from '../../operations/reserve-address.ts';
import { requesterOf } from '../../requester.ts';
import { createReservedIpv6Request } from '../../schemas/reserved-ip.ts';
import { errorsOfChange, idempotencyHeader, jsonAnswer, jsonRequest } from '../../schemas/responses.ts';
import { securedPost } from '../secured.ts';
import { RESERVED_IPV6 } from './named-resource.ts';

/** POST /v2/reserved_ipv6 */
export function registerCreateReservedIpv6(app: ApiApp, dependencies: ApiDependencies): void {
  const { path, operationPrefix, tag, resourceType, schema, present } = RESERVED_IPV6;
  const route = createRoute({
    method: 'post',
    path,
    operationId: `${operationPrefix}_create`,
    summary: 'Reserve an address in a region',
    tags: [tag],
    ...securedPost('reserved_ip:create', dependencies),
    request: { headers: idempotencyHeader, body: jsonRequest(createReservedIpv6Request) },
    responses: { 201: jsonAnswer('The address.', z.object({ reserved_ipv6: schema })), ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    const { reserved } = await reserveAddress(dependencies, {
      accountId: c.var.caller.accountId,
      resourceType,
      operationId: c.var.operationId,
      requestedBy: requesterOf(c),
      target: { region: c.req.valid('json').region_slug, dropletId: null },
      projectId: null,
    });
    return c.json({ reserved_ipv6: present(reserved) }, 201);
  });
}
