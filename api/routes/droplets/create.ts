import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../db/audit-log.ts';
import { createDroplet } from '../../../db/create-droplet.ts';
import { readCreatedDroplet } from '../../../db/droplets.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { dropletCreationToError } from '../../errors.ts';
import { dropletEntry } from '../../operations/droplet-entry.ts';
import { presentDroplet } from '../../presenters/droplet.ts';
import { actionLink } from '../../presenters/links.ts';
import { requesterOf } from '../../requester.ts';
import { actionLinkSchema } from '../../schemas/common.ts';
import { dropletSchema } from '../../schemas/droplet.ts';
import { createDropletRequest } from '../../schemas/droplet-requests.ts';
import { errorsOfChange, idempotencyHeader, jsonAnswer, jsonRequest } from '../../schemas/responses.ts';
import { securedPost } from '../secured.ts';

const answer = z.object({ droplet: dropletSchema, links: z.object({ actions: z.array(actionLinkSchema) }) });

/** POST /v2/droplets */
export function registerCreateDroplet(app: ApiApp, dependencies: ApiDependencies): void {
  const route = createRoute({
    method: 'post',
    path: '/v2/droplets',
    operationId: 'droplets_create',
    summary: 'Create a Droplet, with an anchor address on a host of its region',
    tags: ['Droplets'],
    ...securedPost('droplet:create', dependencies),
    request: { headers: idempotencyHeader, body: jsonRequest(createDropletRequest) },
    responses: { 202: jsonAnswer('The Droplet.', answer), ...errorsOfChange },
  });
  app.openapi(route, async (c) => {
    const { accountId } = c.var.caller;
    const { tags, ...wanted } = c.req.valid('json');
    const { operationId } = c.var;
    const wish = { ...wanted, accountId, tags: tags ?? [], operationId };
    const creation = await recorded(
      dependencies.db,
      async (tx) => {
        const made = await createDroplet(tx, wish);
        return made.kind === 'created' ? { ...made, droplet: await readCreatedDroplet(tx, made.dropletId) } : made;
      },
      (made) =>
        made.kind === 'created' ? dropletEntry(requesterOf(c), { accountId, ...made }, 'create droplet') : null,
    );
    if (creation.kind !== 'created') throw dropletCreationToError(creation.kind);
    const links = { actions: [actionLink(c.req, creation.actionId, 'create')] };
    return c.json({ droplet: presentDroplet(creation.droplet), links }, 202);
  });
}
