import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { assign } from './assign.ts';
import {
  type LegacyContext,
  type LegacyEnvironment,
  type Monolith,
  RESOURCE_NAMES,
  type ResourceName,
  singular,
} from './context.ts';
import { forbidden, LegacyError, notFound, serverError, unauthorized } from './errors.ts';
import { presentAction, presentAddress, presentLink, presentPaging } from './present.ts';
import { release } from './release.ts';
import { parseAction, parseActionId, parseCreate, parseIp, parsePaging } from './request.ts';
import { reserve } from './reserve.ts';
import {
  type AddressRow,
  countActions,
  countAddresses,
  findAction,
  findAddress,
  listActions,
  listAddresses,
} from './rows.ts';
import { unassign } from './unassign.ts';

/**
 * The 18 code paths of the legacy monolith. Everything happens inside the request, one thing after the other, and
 * nothing is tried twice.
 */
export function createMonolith(monolith: Monolith): Hono<LegacyEnvironment> {
  const app = new Hono<LegacyEnvironment>({ strict: false });
  app.onError((error, c) => answerError(monolith, error, c));
  app.notFound((c) => answerError(monolith, notFound(), c));
  app.use(named(monolith));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header('allow', methods.join(', '));
        return answerError(monolith, new LegacyError(405, 'method_not_allowed', 'This method is not allowed here.'), c);
      },
    }),
  );
  app.use('/v2/*', authenticated(monolith));
  for (const resourceName of RESOURCE_NAMES) {
    registerReads(app, monolith, resourceName);
    registerChanges(app, monolith, resourceName);
  }
  return app;
}

/** Names the request as its client or the gateway does, and notes it when it is over. */
function named({ logger }: Monolith) {
  return createMiddleware<LegacyEnvironment>(async (c, next) => {
    const requestId = c.req.header('x-request-id') ?? randomUUID();
    c.set('requestId', requestId);
    c.header('x-request-id', requestId);
    const began = performance.now();
    await next();
    if (c.res.headers.has('content-type')) c.header('content-type', 'application/json; charset=utf-8');
    const { method, path } = c.req;
    logger.info({ requestId, method, path, status: c.res.status, ms: performance.now() - began }, 'request');
  });
}

/** The session service is asked before anything else is looked at. */
function authenticated({ services }: Monolith) {
  return createMiddleware<LegacyEnvironment>(async (c, next) => {
    const authorization = c.req.header('authorization');
    const session = authorization === undefined ? null : await services.session(authorization);
    if (!session) throw unauthorized();
    c.set('caller', { accountId: session.account_id, scopes: session.scopes });
    await next();
  });
}

function allowed(right: 'create' | 'read' | 'update' | 'delete') {
  return createMiddleware<LegacyEnvironment>(async (c, next) => {
    const { scopes } = c.var.caller;
    if (!scopes.includes('*') && !scopes.includes(`reserved_ip:${right}`)) throw forbidden();
    await next();
  });
}

function registerReads(app: Hono<LegacyEnvironment>, { db, services }: Monolith, resourceName: ResourceName): void {
  app.get(`/v2/${resourceName}`, allowed('read'), async (c) => {
    const { accountId } = c.var.caller;
    const paging = parsePaging(c.req.queries('page'), c.req.queries('per_page'));
    const total = await countAddresses(db, accountId);
    const addresses = [];
    for (const row of await listAddresses(db, accountId, paging)) addresses.push(await presentAddress(services, row));
    return c.json({ [resourceName]: addresses, ...presentPaging(c, paging, total) });
  });

  app.get(`/v2/${resourceName}/:ip`, allowed('read'), async (c) => {
    const address = await ownAddress(c, db);
    return c.json({ [singular(resourceName)]: await presentAddress(services, address) });
  });

  app.get(`/v2/${resourceName}/:ip/actions`, allowed('read'), async (c) => {
    const paging = parsePaging(c.req.queries('page'), c.req.queries('per_page'));
    const address = await ownAddress(c, db);
    const total = await countActions(db, address);
    const actions = (await listActions(db, address, paging)).map((action) => presentAction(action, resourceName));
    return c.json({ actions, ...presentPaging(c, paging, total) });
  });

  app.get(`/v2/${resourceName}/:ip/actions/:action_id`, allowed('read'), async (c) => {
    const address = await ownAddress(c, db);
    const id = parseActionId(c.req.param('action_id'));
    const action = id === null ? null : await findAction(db, address, id);
    if (!action) throw notFound();
    return c.json({ action: presentAction(action, resourceName) });
  });
}

function registerChanges(app: Hono<LegacyEnvironment>, monolith: Monolith, resourceName: ResourceName): void {
  const { services } = monolith;

  app.post(`/v2/${resourceName}`, allowed('create'), async (c) => {
    const request = parseCreate(await c.req.arrayBuffer());
    const { address, assignActionId } = await reserve(monolith, c.var.caller, resourceName, request);
    const { dropletId } = request;
    if (dropletId === null || assignActionId === null) {
      return c.json({ [singular(resourceName)]: await presentAddress(services, address), links: {} }, 202);
    }
    const onItsWay = { ...(await presentAddress(services, { ...address, dropletId: null })), locked: true };
    const links = {
      droplets: [presentLink(c, 'droplet', 'droplets', dropletId)],
      actions: [presentLink(c, 'assign_ip', 'actions', assignActionId)],
    };
    return c.json({ [singular(resourceName)]: onItsWay, links }, 202);
  });

  app.post(`/v2/${resourceName}/:ip/actions`, allowed('update'), async (c) => {
    const ip = parseIp(c.req.param('ip'));
    if (!ip) throw notFound();
    const request = parseAction(await c.req.arrayBuffer());
    const action =
      request.type === 'assign'
        ? await assign(monolith, c.var.caller, resourceName, { ip, dropletId: request.dropletId })
        : await unassign(monolith, c.var.caller, resourceName, { ip });
    // As it was accepted, even if the host has been quicker than this answer.
    return c.json(
      { action: presentAction({ ...action, status: 'in-progress', completedAt: null }, resourceName) },
      201,
    );
  });

  app.delete(`/v2/${resourceName}/:ip`, allowed('delete'), async (c) => {
    const ip = parseIp(c.req.param('ip'));
    if (!ip) throw notFound();
    await release(monolith, c.var.caller, resourceName, { ip });
    return c.body(null, 204);
  });
}

async function ownAddress(c: LegacyContext, db: Monolith['db']): Promise<AddressRow> {
  const bytes = parseIp(c.req.param('ip') ?? '');
  const address = bytes && (await findAddress(db, c.var.caller.accountId, bytes));
  if (!address) throw notFound();
  return address;
}

function answerError({ logger }: Monolith, thrown: Error, c: LegacyContext): Response {
  const error = thrown instanceof LegacyError ? thrown : serverError();
  const { requestId } = c.var;
  if (error.status === 500) logger.error({ requestId, err: thrown }, 'request failed');
  return c.json({ id: error.id, message: error.message, request_id: requestId }, error.status);
}
