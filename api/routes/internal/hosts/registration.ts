import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../../db/audit-log.ts';
import { listHosts, registerHost } from '../../../../db/hosts.ts';
import type { ApiApp, ApiDependencies } from '../../../context.ts';
import { conflict, unprocessable } from '../../../errors.ts';
import { operatorEntry } from '../operator-entry.ts';
import { addressRangeOf } from '../pools.ts';
import { internal, jsonAnswer, jsonBody, newName } from '../route.ts';
import { hostAnswerSchema, hostSchema, params, presentHost, presentHostNamed } from './host.ts';

/** Droplets of one host are addressed from its anchor range, so it may be far larger than a pool. */
const ANCHOR_RANGE = { ipVersions: [4 as const], mostHostBits: 24 };

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

const listHostsRoute = createRoute({
  method: 'get',
  path: '/internal/v1/hosts',
  summary: 'List all hosts and their unacknowledged commands',
  ...internal,
  responses: { 200: jsonAnswer('By name.', z.object({ hosts: z.array(hostSchema) })) },
});

const registerHostRoute = createRoute({
  method: 'put',
  path: '/internal/v1/hosts/{name}',
  summary: 'Register a host',
  ...internal,
  request: {
    params,
    ...jsonBody(z.object({ region: z.string(), anchor_cidr: z.string().openapi({ example: '10.17.0.0/16' }) })),
  },
  responses: { 200: jsonAnswer('The host; repeating it changes nothing.', hostAnswerSchema) },
});

/** Which hosts there are. */
export function registerHostRegistration(app: ApiApp, { db }: ApiDependencies): void {
  app.openapi(listHostsRoute, async (c) => c.json({ hosts: (await listHosts(db)).map(presentHost) }, 200));

  app.openapi(registerHostRoute, async (c) => {
    const name = newName(c.req.valid('param').name, 'name', NAME);
    const { region, anchor_cidr } = c.req.valid('json');
    const { cidr: anchorCidr } = addressRangeOf(anchor_cidr, ANCHOR_RANGE);
    const registration = await recorded(
      db,
      (tx) => registerHost(tx, { name, region, anchorCidr }),
      (made) =>
        made === 'registered'
          ? operatorEntry(c, 'register host', `host ${name}`, { detail: `${region}, ${anchorCidr}` })
          : null,
    );
    if (registration === 'region_not_found') throw unprocessable(`There is no region ${region}.`);
    if (registration === 'carries_droplets') {
      throw conflict(`${name} carries Droplets, so its region and its anchor range cannot change.`);
    }
    return c.json({ host: await presentHostNamed(db, name) }, 200);
  });
}
