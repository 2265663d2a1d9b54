import { createRoute } from '@hono/zod-openapi';
import { listFailedCommands } from '../../../db/acknowledgments.ts';
import type { DesiredState, IssuedHostCommand } from '../../../domain/host-protocol.ts';
import type { ApiApp, ApiDependencies } from '../../context.ts';
import { type Fairness, takingTurns } from '../../fairness/fairness.ts';
import { DesiredStates } from '../../host-commands/desired-states.ts';
import { bodyLimit } from '../../middleware/body-limit.ts';
import { acknowledge } from './acknowledge.ts';
import { chargeAcknowledgments } from './acknowledgment-allowance.ts';
import { authenticateHost } from './authenticate.ts';
import { HostTokens } from './host-tokens.ts';
import { jsonOnly } from './json-only.ts';
import {
  acknowledgmentsAnswerSchema,
  acknowledgmentsBodySchema,
  commandsAnswerSchema,
  commandsQuerySchema,
  desiredStateQuerySchema,
  desiredStateSchema,
} from './schemas.ts';

const LARGEST_BODY = 1_048_576;
/** Of a desired state, which may have a thousand addresses, in requests. */
const DESIRED_STATE_COST = 10;
const tags = ['Hosts'];
const security = [{ hostToken: [] }];

const commandsRoute = createRoute({
  method: 'get',
  path: '/host/v1/events',
  summary: "List the host's unacknowledged commands; waits for the first one",
  tags,
  security,
  request: { query: commandsQuerySchema },
  responses: {
    200: {
      description: 'The commands, in the order of their sequence.',
      content: { 'application/json': { schema: commandsAnswerSchema } },
    },
  },
});

const acknowledgmentsRoute = createRoute({
  method: 'post',
  path: '/host/v1/acknowledgments',
  summary: 'Acknowledge commands with their outcomes; may be repeated',
  tags,
  security,
  request: { body: { required: true, content: { 'application/json': { schema: acknowledgmentsBodySchema } } } },
  responses: {
    200: {
      description: 'One result for each acknowledgment, in the same order.',
      content: { 'application/json': { schema: acknowledgmentsAnswerSchema } },
    },
  },
});

const desiredStateRoute = createRoute({
  method: 'get',
  path: '/host/v1/desired-state',
  summary: 'Show every address that the host must announce',
  tags,
  security,
  request: { query: desiredStateQuerySchema },
  responses: {
    200: { description: 'A consistent snapshot.', content: { 'application/json': { schema: desiredStateSchema } } },
  },
});

/** The host protocol. Hosts wait in the `waitingHosts` of this process. */
export function registerHostRoutes(app: ApiApp, dependencies: ApiDependencies, fairness: Fairness): void {
  const { waitingHosts, tokenUses } = dependencies;
  const tokens = new HostTokens(dependencies.db);
  const desiredStates = new DesiredStates(dependencies);
  app.openAPIRegistry.registerComponent('securitySchemes', 'hostToken', { type: 'http', scheme: 'bearer' });
  const inService = authenticateHost({ tokens, fairness, tokenUses, goneMayEnter: false });
  app.use(commandsRoute.path, inService);
  app.use(acknowledgmentsRoute.path, inService, chargeAcknowledgments(fairness, LARGEST_BODY));
  app.use(acknowledgmentsRoute.path, bodyLimit({ maxBytes: LARGEST_BODY }), jsonOnly());
  app.use(
    desiredStateRoute.path,
    authenticateHost({ tokens, fairness, tokenUses, goneMayEnter: true, cost: DESIRED_STATE_COST }),
  );

  app.openapi(commandsRoute, async (c) => {
    const { after, wait, limit } = c.req.valid('query');
    const { signal } = c.req.raw;
    const commands = await waitingHosts.wait({ host: c.var.host, after, limit, waitMs: wait * 1_000, signal });
    return c.json({ events: commands.map(presentCommand) }, 200);
  });

  app.openapi(acknowledgmentsRoute, async (c) => {
    const acknowledgments = c.req
      .valid('json')
      .acknowledgments.map((acknowledgment) => ({ ...acknowledgment, message: acknowledgment.message ?? null }));
    const results = await acknowledge({ ...dependencies, fairness }, c.var.logger, c.var.host, acknowledgments);
    return c.json({ results }, 200);
  });

  app.openapi(desiredStateRoute, async (c) => {
    const state = await desiredStates.read(c.var.host);
    if (!c.req.valid('query').failed) return c.json(presentDesiredState(state), 200);
    const { id, name } = c.var.host;
    const failed_events = await takingTurns(fairness.hosts, name, () => listFailedCommands(dependencies.db, id));
    return c.json({ ...presentDesiredState(state), failed_events }, 200);
  });
}

function presentCommand({ dropletId, issuedAt, ...command }: IssuedHostCommand) {
  return { ...command, droplet_id: dropletId, issued_at: issuedAt };
}

function presentDesiredState({ host, sequence, attachments }: DesiredState) {
  return {
    host,
    sequence,
    attachments: attachments.map(({ dropletId, ...attachment }) => ({ ...attachment, droplet_id: dropletId })),
  };
}
