import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Provider } from '@openfeature/server-sdk';
import { Hono } from 'hono';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import { type RequestBody, readAhead, streamedBody } from './body.ts';
import { type Choice, chooseByFlag } from './choose.ts';
import { changePath, creationPath } from './classify.ts';
import { type CodePath, FAMILIES } from './code-paths.ts';
import { BodyTooLargeError, NOT_FOUND, tooLarge, UNEXPECTED } from './errors.ts';
import { type Flags, openFlags } from './flags/flags.ts';
import { answerByGateway, type EdgeContext, type EdgeEnvironment, Forwarder } from './forward.ts';
import { createMetrics, type EdgeMetrics } from './metrics.ts';
import { requestId } from './request-id.ts';
import { Shadow } from './shadow/shadow.ts';
import { type Stack, Upstream, type UpstreamTimeouts } from './upstream/upstream.ts';
import { Users } from './users.ts';

/** The words by which requests are routed. */
const RULED = new Set([
  ...['v2', 'internal', 'host', 'healthz', 'readyz', 'openapi.json', 'reserved_ipv6', 'actions'],
  ...FAMILIES,
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
  defaultStack: Stack;
  trustForwarded: boolean;
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
  const { logger, db, provider, timeouts, defaultStack, trustForwarded } = options;
  const metrics = createMetrics();
  const flags = await openFlags({ provider, logger, metrics });
  const users = new Users({ db, logger, metrics });
  const upstreams = {
    legacy: new Upstream('legacy', options.legacyUrl, timeouts),
    new: new Upstream('new', options.apiUrl, timeouts),
  };
  const shadow = new Shadow({ upstreams, logger, metrics, ...options.shadow });
  const forwarder = new Forwarder({ upstreams, metrics, shadow, trustForwarded });
  return {
    app: route({ logger, stopping: options.stopping ?? null, flags, users, forwarder, defaultStack }),
    metrics,
    shadow,
    async close() {
      await flags.close();
      await Promise.all([upstreams.legacy.close(), upstreams.new.close()]);
    },
  };
}

interface RouteOptions {
  logger: Logger;
  stopping: AbortSignal | null;
  flags: Flags;
  users: Users;
  forwarder: Forwarder;
  defaultStack: Stack;
}

/** Finds the code path by the same router, with the same tolerance, as the API's. */
function route({ logger, stopping, flags, users, forwarder, defaultStack }: RouteOptions): Hono<EdgeEnvironment> {
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
    c.var.logger.error({ err: error }, 'request failed');
    return answerByGateway(c, UNEXPECTED);
  });

  const byRule = (c: EdgeContext, stack: Stack, body = streamedBody(c.env.incoming)) =>
    forwarder.forward(c, { codePath: null, choice: { stack, reason: 'rule' }, body });
  async function byFlag(c: EdgeContext, codePath: CodePath | null, body: RequestBody) {
    if (codePath === null) return byRule(c, defaultStack, body);
    const choice: Choice = await chooseByFlag({ flags, users }, codePath, c.req.header('authorization'));
    return forwarder.forward(c, { codePath, choice, body });
  }
  const flagged = (codePath: CodePath) => (c: EdgeContext) => byFlag(c, codePath, streamedBody(c.env.incoming));

  for (const family of FAMILIES) {
    app.get(`/v2/${family}`, flagged(`${family}.list`));
    app.get(`/v2/${family}/:ip`, flagged(`${family}.show`));
    app.delete(`/v2/${family}/:ip`, flagged(`${family}.delete`));
    app.get(`/v2/${family}/:ip/actions`, flagged(`${family}.list_actions`));
    app.get(`/v2/${family}/:ip/actions/:action_id`, flagged(`${family}.show_action`));
    app.post(`/v2/${family}`, async (c) => {
      const body = await readAhead(c.env.incoming);
      return byFlag(c, creationPath(family, body), body);
    });
    app.post(`/v2/${family}/:ip/actions`, async (c) => {
      const body = await readAhead(c.env.incoming);
      return byFlag(c, changePath(family, body), body);
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
      choice: { stack: 'new', reason: 'rule' },
      body: streamedBody(c.env.incoming),
      answerMs: LONG_POLL_MS,
    }),
  );
  app.all('*', (c) => byRule(c, defaultStack));
  return app;
}

/** Whether a stack that does not tell capitals apart would read a rule's word where the gateway reads none. */
function isMiswritten(path: string): boolean {
  const [, first = '', second = '', , fourth = ''] = path.split('/', 5);
  return [first, second, fourth].some((word) => !RULED.has(word) && RULED.has(word.toLowerCase()));
}
