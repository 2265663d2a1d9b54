import { createRoute, z } from '@hono/zod-openapi';
import { listDroplets } from '../../../db/droplets.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { presentDroplet } from '../../presenters/droplet.ts';
import { pageRequest, presentPage } from '../../presenters/links.ts';
import { metaSchema, pageLinksSchema } from '../../schemas/common.ts';
import { dropletSchema } from '../../schemas/droplet.ts';
import { dropletQuery } from '../../schemas/droplet-requests.ts';
import { errorsOfList, jsonAnswer } from '../../schemas/responses.ts';
import { secured } from '../secured.ts';

const answer = z.object({ droplets: z.array(dropletSchema), links: pageLinksSchema, meta: metaSchema });

const route = createRoute({
  method: 'get',
  path: '/v2/droplets',
  operationId: 'droplets_list',
  summary: 'List all Droplets of the account, newest first',
  tags: ['Droplets'],
  ...secured('droplet:read'),
  request: { query: dropletQuery },
  responses: { 200: jsonAnswer('One page of Droplets.', answer), ...errorsOfList },
});

/** GET /v2/droplets */
export function registerListDroplets(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(route, async (c) => {
    const { name, tag_name, ...query } = c.req.valid('query');
    const request = pageRequest(query);
    const page = await listDroplets(db, { accountId: c.var.caller.accountId, name, tag: tag_name }, request);
    return c.json({ droplets: page.entries.map(presentDroplet), ...presentPage(c.req, request, page) }, 200);
  });
}
