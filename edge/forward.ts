import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { RequestBody } from './body.ts';
import type { Choice } from './choose.ts';
import type { CodePath } from './code-paths.ts';
import { answerFor, ClientGoneError, type GatewayAnswer, UpstreamError, type UpstreamFailure } from './errors.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { Shadow } from './shadow/shadow.ts';
import { answerHeaders, requestHeaders } from './upstream/headers.ts';
import type { Upstream, UpstreamAnswer, UpstreamName } from './upstream/upstream.ts';

/** What the gateway's handlers have at hand. */
export interface EdgeEnvironment {
  Bindings: HttpBindings;
  Variables: { requestId: string; logger: Logger };
}
export type EdgeContext = Context<EdgeEnvironment>;

/** Options of {@link Forwarder}. */
export interface ForwarderOptions {
  upstreams: Record<UpstreamName, Upstream>;
  metrics: EdgeMetrics;
  shadow: Shadow;
  trustForwarded: boolean;
  /** Names of the fields of requests that go to the upstreams, beside those that always do; in lower case. */
  requestHeaders: readonly string[];
}

/** A request whose way is known. */
export interface Forwarding {
  /** Null when it is none of the 18. */
  codePath: CodePath | null;
  choice: Choice;
  body: RequestBody;
  /** How long the answer may take to begin, if not as long as others, in milliseconds. */
  answerMs?: number;
}

/** How a request ended, for metrics and log. */
interface Outcome {
  /** Null when the client was not there any more. */
  status: number | null;
  failure?: UpstreamFailure | 'client_gone';
}

/** Answers in the form that v2 clients read. */
export function answerByGateway(c: EdgeContext, { status, id, message, retryAfter }: GatewayAnswer): Response {
  if (retryAfter !== null) c.header('retry-after', String(retryAfter));
  c.header('x-request-id', c.var.requestId);
  c.header('content-type', 'application/json; charset=utf-8');
  return c.body(JSON.stringify({ id, message, request_id: c.var.requestId }), status);
}

/** Passes requests on to the upstream that was chosen, and answers back, as they come. */
export class Forwarder {
  readonly #options: ForwarderOptions;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Sends the request to its upstream, once, and streams the answer to the client. */
  async forward(c: EdgeContext, forwarding: Forwarding): Promise<Response> {
    const { incoming, outgoing } = c.env;
    const { codePath, choice, body, answerMs } = forwarding;
    const { upstreams, shadow, trustForwarded, requestHeaders: further } = this.#options;
    const { method } = c.req;
    const { requestId } = c.var;
    const end = this.#start(c, forwarding);
    const request = {
      method,
      target: routedTarget(c.req.url),
      headers: requestHeaders(incoming, { requestId, trustForwarded, further }),
      body: body.stream,
      signal: untilGone(outgoing),
      ...(answerMs !== undefined && { answerMs }),
    };
    let answer: UpstreamAnswer;
    try {
      answer = await upstreams[choice.upstream].send(request);
    } catch (error) {
      if (error instanceof ClientGoneError) {
        end({ status: null, failure: 'client_gone' });
        return RESPONSE_ALREADY_SENT;
      }
      if (!(error instanceof UpstreamError)) throw error;
      c.var.logger.warn({ upstream: choice.upstream, sent: error.sent, err: error.cause }, error.message);
      const made = answerFor(error, method);
      end({ status: made.status, failure: error.failure });
      return answerByGateway(c, made);
    }
    if (codePath !== null && method === 'GET') {
      shadow.consider({ codePath, upstream: choice.upstream, requestId, request, answer });
    }
    if (method === 'HEAD') return this.#answerHead(c, answer, end);
    end(await this.#answer(c, answer));
    return RESPONSE_ALREADY_SENT;
  }

  /** Hono makes an answer of its own to HEAD from the one that it is given, so that must be a whole one. */
  #answerHead(c: EdgeContext, { status, headers, body }: UpstreamAnswer, end: (outcome: Outcome) => void): Response {
    body.resume();
    const kept = new Headers();
    for (const [name, value] of Object.entries(answerHeaders(headers, c.var.requestId))) {
      for (const one of [value].flat()) kept.append(name, one);
    }
    end({ status });
    return new Response(null, { status, headers: kept });
  }

  async #answer(c: EdgeContext, { status, statusText, headers, body }: UpstreamAnswer): Promise<Outcome> {
    const { outgoing } = c.env;
    try {
      outgoing.writeHead(status, statusText, answerHeaders(headers, c.var.requestId));
      outgoing.flushHeaders();
      await pipeline(body, outgoing);
      return { status };
    } catch (error) {
      // What has begun cannot be taken back: the client sees its connection end before the answer does.
      const isGone = outgoing.destroyed && body.errored === null;
      outgoing.destroy();
      if (isGone) return { status: null, failure: 'client_gone' };
      c.var.logger.warn({ err: error }, 'the answer broke off');
      return { status, failure: 'broken' };
    }
  }

  /** Begins to count; the answered function ends it. */
  #start(c: EdgeContext, { codePath, choice }: Forwarding): (outcome: Outcome) => void {
    const { metrics } = this.#options;
    const way = { code_path: codePath ?? 'other', upstream: choice.upstream };
    const startedAt = performance.now();
    return ({ status, failure }) => {
      const seconds = (performance.now() - startedAt) / 1_000;
      metrics.requests.inc({ ...way, status: status ?? 'none' });
      metrics.duration.observe(way, seconds);
      if (failure !== undefined && failure !== 'client_gone') metrics.failures.inc({ ...way, failure });
      const { method, path } = c.req;
      const milliseconds = Math.round(seconds * 100_000) / 100;
      c.var.logger.info(
        { method, path, codePath, ...choice, status, ...(failure && { failure }), milliseconds },
        'request',
      );
    };
  }
}

/** Path and query of the URL by which the request was routed, never of the line that was sent. */
function routedTarget(url: string): string {
  return url.slice(url.indexOf('/', url.indexOf('://') + 3));
}

/** Aborted when the client's connection ends before its answer has. */
function untilGone(outgoing: ServerResponse): AbortSignal {
  const gone = new AbortController();
  outgoing.once('close', () => {
    if (!outgoing.writableFinished) gone.abort();
  });
  if (outgoing.destroyed) gone.abort();
  return gone.signal;
}
