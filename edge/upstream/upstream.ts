import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type Dispatcher, Pool } from 'undici';
import { normalizeTarget } from '../../platform/http/target.ts';
import { ClientGoneError, UpstreamError } from '../errors.ts';

/** The two upstreams. */
export const UPSTREAM_NAMES = ['legacy', 'new'] as const;
export type UpstreamName = (typeof UPSTREAM_NAMES)[number];

/** How long an upstream may take. */
export interface UpstreamTimeouts {
  /** To accept a connection, in milliseconds. */
  connectMs: number;
  /** From the beginning until the answer begins, in milliseconds. */
  answerMs: number;
  /** Between two parts of an answer's body, in milliseconds. */
  bodyMs: number;
}

/** What is sent. */
export interface UpstreamRequest {
  method: string;
  /** Path and query, as they were routed. */
  target: string;
  /** Names and values, one after the other. */
  headers: string[];
  body: Readable | null;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
  /** Where this request has another time until the answer begins than others. */
  answerMs?: number;
}

/** An answer whose body is still on its way. */
export interface UpstreamAnswer {
  status: number;
  statusText: string;
  headers: IncomingHttpHeaders;
  body: Readable;
}

/**
 * One upstream, over connections that are kept. A request is sent once: there is no repetition and no other upstream, since
 * one that was sent may have been carried out.
 */
export class Upstream {
  readonly name: UpstreamName;
  readonly #pool: Pool;
  readonly #timeouts: UpstreamTimeouts;
  readonly #prefix: string;

  constructor(name: UpstreamName, url: string, timeouts: UpstreamTimeouts) {
    const { origin, pathname } = new URL(url);
    this.name = name;
    this.#prefix = pathname.replace(/\/$/, '');
    this.#timeouts = timeouts;
    this.#pool = new Pool(origin, {
      connect: { timeout: timeouts.connectMs },
      // The answer's own limit counts from before the connection.
      headersTimeout: 0,
      bodyTimeout: timeouts.bodyMs,
      // One request a connection at a time, so that a slow answer holds nobody else up.
      pipelining: 1,
    });
  }

  /**
   * Resolves when the answer begins. Throws {@link UpstreamError} or {@link ClientGoneError}, and RequestRejectedError
   * for a target that could leave the path of the upstream's URL; nothing was sent then.
   */
  async send({ answerMs = this.#timeouts.answerMs, ...request }: UpstreamRequest): Promise<UpstreamAnswer> {
    const { method, headers, body, signal } = request;
    const path = this.#prefix + normalizeTarget(request.target);
    let sent = false;
    const dispatcher = this.#pool.compose(
      noticing(() => {
        sent = true;
      }),
    );
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), answerMs);
    try {
      const answer = await dispatcher.request({
        path,
        method,
        headers,
        body,
        signal: AbortSignal.any([signal, late.signal]),
      });
      const { statusCode: status, statusText } = answer;
      return { status, statusText, headers: answer.headers, body: answer.body };
    } catch (error) {
      if (signal.aborted) throw new ClientGoneError();
      if (late.signal.aborted) throw new UpstreamError('timeout', sent, error);
      throw new UpstreamError(sent ? 'broken' : 'refused', sent, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Lets what is on its way finish, then closes all connections. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

/** Tells when a request is about to be written to a connection that stands. */
function noticing(notice: () => void): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) =>
    dispatch(options, {
      onRequestStart(controller, context) {
        notice();
        handler.onRequestStart?.(controller, context);
      },
      onRequestUpgrade: (...call) => handler.onRequestUpgrade?.(...call),
      onResponseStart: (...call) => handler.onResponseStart?.(...call),
      onResponseData: (...call) => handler.onResponseData?.(...call),
      onResponseEnd: (...call) => handler.onResponseEnd?.(...call),
      onResponseError: (...call) => handler.onResponseError?.(...call),
    });
}
