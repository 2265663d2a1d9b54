import { createRoute, z } from '@hono/zod-openapi';
import { findReservedIp } from '../../../db/reserved-ips.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { notFound } from '../../errors.ts';
import { errorsOfOne, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { Flavour } from './flavour.ts';

/** GET /v2/reserved_ips/{ip} */
export function registerShowReservedIp(app: ApiApp, { db }: ApiDependencies, flavour: Flavour): void {
  const route = createRoute({
    method: 'get',
    path: `${flavour.path}/{ip}`,
    operationId: `${flavour.operationPrefix}_get`,
    summary: 'One address',
    tags: [flavour.tag],
    ...secured('reserved_ip:read'),
    request: { params: flavour.parameter },
    responses: { 200: jsonAnswer('The address.', z.object({ [flavour.one]: flavour.schema })), ...errorsOfOne },
  });
  app.openapi(route, async (c) => {
    const { ip } = c.req.valid('param');
    const address = await findReservedIp(db, c.var.caller.accountId, ip);
    if (!address) throw notFound();
    return c.json({ [flavour.one]: flavour.present(address) }, 200);
  });
}
