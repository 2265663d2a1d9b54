import { createRoute, z } from '@hono/zod-openapi';
import { listReservedIps } from '../../../db/reserved-ips.ts';
import { ipVersionOfResource } from '../../../domain/operation.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { metaSchema, pageLinksSchema } from '../../schemas/common.ts';
import { pageQuery } from '../../schemas/fields.ts';
import { errorsOfList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';
import type { NamedResource } from './named-resource.ts';

/** GET /v2/reserved_ips */
export function registerListReservedIps(app: ApiApp, { db }: ApiDependencies, resource: NamedResource): void {
  const answer = z.object({ [resource.many]: z.array(resource.schema), links: pageLinksSchema, meta: metaSchema });
  const route = createRoute({
    method: 'get',
    path: resource.path,
    operationId: `${resource.operationPrefix}_list`,
    summary: 'All addresses of the account',
    tags: [resource.tag],
    ...secured('reserved_ip:read'),
    request: { query: pageQuery },
    responses: { 200: jsonAnswer('One page of addresses.', answer), ...errorsOfList },
  });
  const ipVersion = ipVersionOfResource(resource.resourceType);
  app.openapi(route, async (c) => {
    const request = pageRequest(c.req.valid('query'));
    const page = await listReservedIps(db, { accountId: c.var.caller.accountId, ipVersion }, request);
    const addresses = page.entries.map(resource.present);
    return c.json({ [resource.many]: addresses, ...presentPage(c.req, request, page) }, 200);
  });
}
