import { createRoute } from '@hono/zod-openapi';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { releaseAddress } from '../../operations/release.ts';
import { requesterOf } from '../../requester.ts';
import { emptyAnswer, errorsOfChange } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { Flavour } from './flavour.ts';

/** DELETE /v2/reserved_ips/{ip} */
export function registerDeleteReservedIp(app: ApiApp, dependencies: ApiDependencies, flavour: Flavour): void {
  const route = createRoute({
    method: 'delete',
    path: `${flavour.path}/{ip}`,
    operationId: `${flavour.operationPrefix}_delete`,
    summary: flavour.releaseSummary,
    tags: [flavour.tag],
    ...secured('reserved_ip:delete'),
    request: { params: flavour.parameter },
    responses: { 204: emptyAnswer, ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    await releaseAddress(dependencies, {
      accountId: c.var.caller.accountId,
      resourceType: flavour.resourceType,
      operationId: undefined,
      requestedBy: requesterOf(c),
      address: c.req.valid('param').ip,
    });
    return c.body(null, 204);
  });
}
