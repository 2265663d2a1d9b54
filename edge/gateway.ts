import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Provider } from '@openfeature/server-sdk';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { readAhead, streamedBody } from './body.ts';
import { type ChoiceOptions, chooseByAllFlags, chooseByFlag } from './choose.ts';
import { changePaths, creationPaths, similarPaths } from './classify.ts';
import { clientAddress } from './client-address.ts';
import { type CodePath, RESOURCE_NAMES } from './code-paths.ts';
import {
  BodyTooLargeError,
  NOT_FOUND,
  tooLarge,
  tooManyTokens,
  UNEXPECTED,
  UnknownTokenRejectedError,
} from './errors.ts';
import { openFlags } from './flags/flags.ts';
import { answerByGateway, type EdgeContext, type EdgeEnvironment, Forwarder } from './forward.ts';
import { createMetrics, type EdgeMetrics } from './metrics.ts';
import { requestId } from './request-id.ts';
import { Shadow } from './shadow/shadow.ts';
import { Upstream, type UpstreamName, type UpstreamTimeouts } from './upstream/upstream.ts';
import { Users } from './users.ts';

/** The words by which requests are routed. */
const RULED = new Set([
  ...['v2', 'internal', 'host', 'healthz', 'readyz', 'openapi.json', 'reserved_ipv6', 'actions'],
  ...RESOURCE_NAMES,
]);
/** A host's long poll lasts 30 s. */
const LONG_POLL_MS = 60_000;

/** What {@link createGateway} is made of. */
export interface GatewayOptions {
  logger: Logger;
  /** Aborted when the process is about to end; default never. */
  stopping?: AbortSignal;
  /** Only read, to know whose token a request carries. */
  db: Database;
  /** Where flags are asked. */
  provider: Provider;
  /** Base URLs. */
  legacyUrl: string;
  apiUrl: string;
  timeouts: UpstreamTimeouts;
  /** Where what has no flag and no rule goes. */
  defaultUpstream: UpstreamName;
  trustForwarded: boolean;
  /** Names of the fields of requests that go to the upstreams, beside those that always do; in lower case. */
  requestHeaders: readonly string[];
  /** Wrong tokens of one address a minute that are looked for. */
  wrongTokensPerMinute: number;
  shadow: { percent: number; ignored: string[] };
}

/** A gateway, and what is to be seen of it inside. */
export interface Gateway {
  app: Hono<EdgeEnvironment>;
  metrics: EdgeMetrics;
  shadow: Shadow;
  close(): Promise<void>;
}

/** Makes the gateway. It waits for the flags' first look, and for no upstream. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger, db, provider, timeouts, defaultUpstream, trustForwarded, requestHeaders, wrongTokensPerMinute } =
    options;
  const metrics = createMetrics();
  const flags = await openFlags({ provider, logger, metrics });
  const users = new Users({ db, logger, metrics, wrongTokensPerMinute });
  const upstreams = {
    legacy: new Upstream('legacy', options.legacyUrl, timeouts),
    new: new Upstream('new', options.apiUrl, timeouts),
  };
  const shadow = new Shadow({ upstreams, logger, metrics, ...options.shadow });
  const forwarder = new Forwarder({ upstreams, metrics, shadow, trustForwarded, requestHeaders });
  return {
    app: route({
      ...{ logger, metrics, flags, users, forwarder, defaultUpstream, trustForwarded },
      stopping: options.stopping ?? null,
    }),
    metrics,
    shadow,
    async close() {
      await flags.close();
      await Promise.all([upstreams.legacy.close(), upstreams.new.close()]);
    },
  };
}

interface RouteOptions extends ChoiceOptions {
  logger: Logger;
  metrics: EdgeMetrics;
  stopping: AbortSignal | null;
  forwarder: Forwarder;
  trustForwarded: boolean;
}

/** Finds the code path by the same router, with the same tolerance, as the API's. */
function route(options: RouteOptions): Hono<EdgeEnvironment> {
  const { logger, metrics, stopping, forwarder, defaultUpstream, trustForwarded } = options;
  const app = new Hono<EdgeEnvironment>({ strict: false });
  app.use(requestId(logger));
  app.use(async function asRulesAreWritten(c, next) {
    if (isMiswritten(c.req.path)) return answerByGateway(c, NOT_FOUND);
    await next();
  });
  app.onError((error, c) => {
    const { incoming } = c.env;
    // It left while its body was read ahead; nothing was sent to anybody.
    if (incoming.destroyed && !incoming.complete) return RESPONSE_ALREADY_SENT;
    if (error instanceof BodyTooLargeError) {
      if (!error.whole) c.header('connection', 'close');
      return answerByGateway(c, tooLarge(error));
    }
    if (error instanceof UnknownTokenRejectedError) {
      metrics.rejectedTokens.inc();
      return answerByGateway(c, tooManyTokens(error));
    }
    c.var.logger.error({ err: error }, 'request failed');
    return answerByGateway(c, UNEXPECTED);
  });

  const byRule = (c: EdgeContext, upstream: UpstreamName, body = streamedBody(c.env.incoming)) =>
    forwarder.forward(c, { codePath: null, choice: { upstream, reason: 'rule' }, body });
  /** By the flag of its code path, or by those of all that it may be on. */
  async function byFlags(c: EdgeContext, codePaths: readonly CodePath[], body = streamedBody(c.env.incoming)) {
    const { incoming } = c.env;
    const caller = { authorization: c.req.header('authorization'), address: clientAddress(incoming, trustForwarded) };
    const [codePath, another] = codePaths;
    if (codePath === undefined) return byRule(c, defaultUpstream, body);
    if (another !== undefined) {
      return forwarder.forward(c, { codePath: null, choice: await chooseByAllFlags(options, codePaths, caller), body });
    }
    return forwarder.forward(c, { codePath, choice: await chooseByFlag(options, codePath, caller), body });
  }
  const flagged = (codePath: CodePath) => (c: EdgeContext) => byFlags(c, [codePath]);

  for (const resourceName of RESOURCE_NAMES) {
    app.get(`/v2/${resourceName}`, flagged(`${resourceName}.list`));
    app.get(`/v2/${resourceName}/:ip`, flagged(`${resourceName}.show`));
    app.delete(`/v2/${resourceName}/:ip`, flagged(`${resourceName}.delete`));
    app.get(`/v2/${resourceName}/:ip/actions`, flagged(`${resourceName}.list_actions`));
    app.get(`/v2/${resourceName}/:ip/actions/:action_id`, flagged(`${resourceName}.show_action`));
    app.post(`/v2/${resourceName}`, async (c) => {
      const body = await readAhead(c.env.incoming);
      return byFlags(c, creationPaths(resourceName, body), body);
    });
    app.post(`/v2/${resourceName}/:ip/actions`, async (c) => {
      const body = await readAhead(c.env.incoming);
      return byFlags(c, changePaths(resourceName, body), body);
    });
  }

  app.get('/healthz', (c) => c.json({ status: 'ok' }));
  app.get('/readyz', (c) => (stopping?.aborted ? c.json({ status: 'stopping' }, 503) : c.json({ status: 'ok' })));
  for (const path of ['/healthz', '/readyz']) app.all(path, (c) => answerByGateway(c, NOT_FOUND));
  // Operators reach it at the API itself; the public does not.
  app.all('/internal/*', (c) => answerByGateway(c, NOT_FOUND));
  app.all('/v2/reserved_ipv6/*', (c) => byRule(c, 'new'));
  app.all('/openapi.json', (c) => byRule(c, 'new'));
  app.all('/host/*', (c) =>
    forwarder.forward(c, {
      codePath: null,
      choice: { upstream: 'new', reason: 'rule' },
      body: streamedBody(c.env.incoming),
      answerMs: LONG_POLL_MS,
    }),
  );
  app.all('*', (c) => byFlags(c, similarPaths(c.req.path)));
  return app;
}

/** Whether an upstream that does not tell capitals apart would read a rule's word where the gateway reads none. */
function isMiswritten(path: string): boolean {
  const [, first = '', second = '', , fourth = ''] = path.split('/', 5);
  return [first, second, fourth].some((word) => !RULED.has(word) && RULED.has(word.toLowerCase()));
}
