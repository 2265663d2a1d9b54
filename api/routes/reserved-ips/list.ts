import { createRoute, z } from '@hono/zod-openapi';
import { listReservedIps } from '../../../db/reserved-ips.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { presentReservedIp } from '../../presenters/reserved-ip.ts';
import { metaSchema, pageLinksSchema } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/fields.ts';
import { reservedIpSchema } from '../../schemas/reserved-ip.ts';
import { errorsOfList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { Flavour } from './flavour.ts';

/** GET /v2/reserved_ips */
export function registerListReservedIps(app: ApiApp, { db }: ApiDependencies, flavour: Flavour): void {
  const answer = z.object({ [flavour.many]: z.array(reservedIpSchema), links: pageLinksSchema, meta: metaSchema });
  const route = createRoute({
    method: 'get',
    path: flavour.path,
    operationId: `${flavour.operationPrefix}_list`,
    summary: 'All addresses of the account',
    tags: [flavour.tag],
    ...secured('reserved_ip:read'),
    request: { query: pageQuery },
    responses: { 200: jsonAnswer('One page of addresses.', answer), ...errorsOfList },
  });
  app.openapi(route, async (c) => {
    const request = pageRequest(c.req.valid('query'));
    const page = await listReservedIps(db, c.var.caller.accountId, request);
    const addresses = page.entries.map(presentReservedIp);
    return c.json({ [flavour.many]: addresses, ...presentPage(c.req, request, page) }, 200);
  });
}
