import { createRoute } from '@hono/zod-openapi';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { releaseAddress } from '../../operations/release-address.ts';
import { requesterOf } from '../../requester.ts';
import { emptyAnswer, errorsOfChange } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

/** DELETE /v2/reserved_ips/{ip} */
export function registerDeleteReservedIp(app: ApiApp, dependencies: ApiDependencies, resource: NamedResource): void {
  const route = createRoute({
    method: 'delete',
    path: `${resource.path}/{ip}`,
    operationId: `${resource.operationPrefix}_delete`,
    summary: resource.releaseSummary,
    tags: [resource.tag],
    ...secured('reserved_ip:delete'),
    request: { params: resource.parameter },
    responses: { 204: emptyAnswer, ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    await releaseAddress(dependencies, {
      accountId: c.var.caller.accountId,
      resourceType: resource.resourceType,
      operationId: undefined,
      requestedBy: requesterOf(c),
      address: c.req.valid('param').ip,
    });
    return c.body(null, 204);
  });
}
