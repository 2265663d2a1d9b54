import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { Logger } from 'pino';
import { ListenError } from './listen-error.ts';
import { answerRejected, answerUnparsed } from './rejected-answers.ts';
import { malformed, RequestRejectedError } from './rejection.ts';
import { checkRequest } from './request-check.ts';

/** How large a request may be, and how long a caller may take over it. */
export interface ServerLimits {
  /** Bytes of request line and headers together; beyond them the answer is 431. Default 16,384. */
  headerBytes?: number;
  /** Milliseconds in which request line and headers must be here; then the answer is 408. Default 10,000. */
  headersMs?: number;
  /** Milliseconds in which the whole request must be here, its body included; then the answer is 408. Default 20,000. */
  requestMs?: number;
  /** How often the two are looked at, in milliseconds; default 1,000. */
  checkMs?: number;
  /** How long an idle connection is kept, in milliseconds; default 75,000. */
  idleMs?: number;
}

/** What {@link startServer} serves, and where. */
export interface ServerOptions {
  fetch: Parameters<typeof getRequestListener>[0];
  host: string;
  /** 0 for any free one. */
  port: number;
  /** The setting that says the port, which the error names when it is taken. */
  portSetting?: string;
  /** Has a line for each request that no handler sees; default none. */
  logger?: Logger;
  limits?: ServerLimits;
}

/** An HTTP server that listens. */
export interface HttpServer {
  server: Server;
  port: number;
}

/**
 * Serves the app under limits, so that no caller holds a connection by sending slowly. What an answer may take is up to
 * the handlers: a long poll lasts 30 s. Requests whose host or target is malformed or ambiguous are answered here, in
 * the v2 form; the app sees normalized ones. Throws a {@link ListenError} when it cannot listen there.
 */
export async function startServer(options: ServerOptions): Promise<HttpServer> {
  const { fetch, host, port, portSetting, logger, limits = {} } = options;
  const { headerBytes = 16_384, headersMs = 10_000, requestMs = 20_000, checkMs = 1_000 } = limits;
  // Longer than clients and proxies keep one, so that they never send into one that is being closed.
  const { idleMs = 75_000 } = limits;
  const handle = getRequestListener(fetch);
  // Connections that end with a rejection: what was sent behind it is not to be carried out without an answer.
  const ending = new WeakSet<Socket>();
  const reject = (error: unknown, incoming: IncomingMessage, outgoing: ServerResponse) => {
    const rejection = error instanceof RequestRejectedError ? error : malformed('syntax', 'The request is not valid.');
    answerRejected(rejection, incoming, outgoing, logger ?? null);
    if (!outgoing.shouldKeepAlive) ending.add(incoming.socket);
  };
  const server = createServer(
    {
      maxHeaderSize: headerBytes,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      keepAliveTimeout: idleMs,
      // Looked at here, so that its answer has the form of the others.
      requireHostHeader: false,
    },
    (incoming, outgoing) => {
      if (ending.has(incoming.socket)) return;
      try {
        checkRequest(incoming);
      } catch (error) {
        reject(error, incoming, outgoing);
        return;
      }
      void handle(incoming, outgoing);
    },
  );
  server.on('checkExpectation', (incoming: IncomingMessage, outgoing: ServerResponse) =>
    reject(unmetExpectation(), incoming, outgoing),
  );
  answerUnparsed(server, logger ?? null);
  server.listen(port, host);
  await once(server, 'listening').catch((error: unknown) => {
    throw new ListenError({ host, port, portSetting }, error);
  });
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : port };
}

function unmetExpectation(): RequestRejectedError {
  return new RequestRejectedError(
    417,
    'expectation_failed',
    'expectation',
    'The only expectation that is met is 100-continue.',
  );
}
