import { createRoute, z } from '@hono/zod-openapi';
import { recorded } from '../../../db/audit-log.ts';
import {
  addHostToken,
  declareHostGone,
  declareHostReturned,
  findHost,
  type HostRecord,
  listHosts,
  registerHost,
  revokeHostTokens,
} from '../../../db/hosts.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { conflict, notFound, unprocessable } from '../../errors.ts';
import { newToken } from './new-token.ts';
import { notifyOrphans } from './notify-orphans.ts';
import { operatorEntry } from './operator-entry.ts';
import { addressRangeOf } from './pools.ts';
import { internal, jsonAnswer, jsonBody, newName } from './route.ts';

/** Droplets of one host are addressed from its anchor range, so it may be far larger than a pool. */
const ANCHOR_RANGE = { ipVersions: [4 as const], mostHostBits: 24 };

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
const params = z.object({ name: z.string() });
const hostSchema = z
  .object({
    name: z.string(),
    region: z.string(),
    state: z.enum(['active', 'gone']),
    anchor_cidr: z.string(),
    last_sequence: z.int().openapi({ description: 'The newest event the host was given.' }),
    unacknowledged_events: z.int(),
    oldest_unacknowledged_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .openapi('InternalHost');
const hostAnswerSchema = z.object({ host: hostSchema });

const listHostsRoute = createRoute({
  method: 'get',
  path: '/internal/v1/hosts',
  summary: 'All hosts and what they have not answered',
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

const addTokenRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/tokens',
  summary: 'Make a token for a host; it is shown this once',
  ...internal,
  request: { params },
  responses: { 201: jsonAnswer('The token.', z.object({ token: z.string() })) },
});

const revokeTokensRoute = createRoute({
  method: 'delete',
  path: '/internal/v1/hosts/{name}/tokens',
  summary: 'Revoke all tokens of a host; they stop working within a second',
  ...internal,
  request: { params },
  responses: { 200: jsonAnswer('How many there were.', z.object({ revoked: z.int() })) },
});

const goneRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/gone',
  summary: 'Declare that a host is gone and announces no address any more',
  description: 'Its open detaches count as applied, its open attaches as failed.',
  ...internal,
  request: { params },
  responses: {
    200: jsonAnswer(
      'The host, and how many open events were answered in its stead.',
      z.object({
        host: hostSchema,
        answered_events: z.int(),
        untold_operations: z.int().openapi({
          description: 'Operations that could not be told at once; they find out when they next look.',
        }),
      }),
    ),
  },
});

const returnedRoute = createRoute({
  method: 'post',
  path: '/internal/v1/hosts/{name}/returned',
  summary: 'Take a host that was gone back into service',
  ...internal,
  request: { params },
  responses: { 200: jsonAnswer('The host.', hostAnswerSchema) },
});

/** Hosts, their tokens, and the operator's word on whether they are there. */
export function registerHostAdministration(app: ApiApp, dependencies: ApiDependencies): void {
  const { db } = dependencies;

  const hostNamed = async (name: string) => {
    const host = await findHost(db, name);
    if (!host) throw notFound();
    return presentHost(host);
  };

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
    return c.json({ host: await hostNamed(name) }, 200);
  });

  app.openapi(addTokenRoute, async (c) => {
    const { token, hash } = newToken('host');
    const { name } = c.req.valid('param');
    const added = await recorded(
      db,
      (tx) => addHostToken(tx, name, hash),
      (done) => (done ? operatorEntry(c, 'create host token', `host ${name}`) : null),
    );
    if (!added) throw notFound();
    return c.json({ token }, 201);
  });

  app.openapi(revokeTokensRoute, async (c) => {
    const { name } = c.req.valid('param');
    const revoked = await recorded(
      db,
      (tx) => revokeHostTokens(tx, name),
      (count) =>
        count === null ? null : operatorEntry(c, 'revoke host tokens', `host ${name}`, { detail: `${count} tokens` }),
    );
    if (revoked === null) throw notFound();
    return c.json({ revoked }, 200);
  });

  app.openapi(goneRoute, async (c) => {
    const { name } = c.req.valid('param');
    const events = await recorded(
      db,
      (tx) => declareHostGone(tx, name),
      (answered) => answered && operatorEntry(c, 'host gone', `host ${name}`, { detail: `${answered.length} events` }),
    );
    if (!events) throw notFound();
    const unnotified = await notifyOrphans(dependencies.acknowledgments, c.var.logger, name, events);
    return c.json({ host: await hostNamed(name), answered_events: events.length, untold_operations: unnotified }, 200);
  });

  app.openapi(returnedRoute, async (c) => {
    const { name } = c.req.valid('param');
    const returned = await recorded(
      db,
      (tx) => declareHostReturned(tx, name),
      (done) => (done ? operatorEntry(c, 'host returned', `host ${name}`) : null),
    );
    if (!returned) throw notFound();
    return c.json({ host: await hostNamed(name) }, 200);
  });
}

function presentHost(host: HostRecord) {
  return {
    name: host.name,
    region: host.region,
    state: host.state,
    anchor_cidr: host.anchorCidr,
    last_sequence: host.lastSequence,
    unacknowledged_events: host.unacknowledgedCommands,
    oldest_unacknowledged_at: host.oldestUnacknowledgedAt?.toISOString() ?? null,
    created_at: host.createdAt.toISOString(),
  };
}
