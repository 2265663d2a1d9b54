import { createRoute, z } from '@hono/zod-openapi';
import { listReservedIps } from '../../../db/reserved-ips.ts';
import { familyOfResource } from '../../../domain/operation.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { metaSchema, pageLinksSchema } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/fields.ts';
import { errorsOfList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { Flavour } from './flavour.ts';

/** GET /v2/reserved_ips */
export function registerListReservedIps(app: ApiApp, { db }: ApiDependencies, flavour: Flavour): void {
  const answer = z.object({ [flavour.many]: z.array(flavour.schema), links: pageLinksSchema, meta: metaSchema });
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
  const family = familyOfResource(flavour.resourceType);
  app.openapi(route, async (c) => {
    const request = pageRequest(c.req.valid('query'));
    const page = await listReservedIps(db, { accountId: c.var.caller.accountId, family }, request);
    const addresses = page.entries.map(flavour.present);
    return c.json({ [flavour.many]: addresses, ...presentPage(c.req, request, page) }, 200);
  });
}
