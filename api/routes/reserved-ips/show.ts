import { createRoute, z } from '@hono/zod-openapi';
import { findReservedIp } from '../../../db/reserved-ips.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { errorsOfOne, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

/** GET /v2/reserved_ips/{ip} */
export function registerShowReservedIp(app: ApiApp, { db }: ApiDependencies, resource: NamedResource): void {
  const route = createRoute({
    method: 'get',
    path: `${resource.path}/{ip}`,
    operationId: `${resource.operationPrefix}_get`,
    summary: 'One address',
    tags: [resource.tag],
    ...secured('reserved_ip:read'),
    request: { params: resource.parameter },
    responses: { 200: jsonAnswer('The address.', z.object({ [resource.one]: resource.schema })), ...errorsOfOne },
  });
  app.openapi(route, async (c) => {
    const { ip } = c.req.valid('param');
    const address = await findReservedIp(db, c.var.caller.accountId, ip);
    if (!address) throw notFound();
    return c.json({ [resource.one]: resource.present(address) }, 200);
  });
}
