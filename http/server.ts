import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { serve } from '@hono/node-server';

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
  fetch: Parameters<typeof serve>[0]['fetch'];
  host: string;
  /** 0 for any free one. */
  port: number;
  limits?: ServerLimits;
}

/** An HTTP server that listens. */
export interface HttpServer {
  server: Server;
  port: number;
}

/**
 * Serves the app under limits, so that no caller holds a connection by sending slowly. What an answer may take is up to
 * the handlers: a long poll lasts 30 s. Throws when the port is taken.
 */
export async function startServer({ fetch, host, port, limits = {} }: ServerOptions): Promise<HttpServer> {
  const { headerBytes = 16_384, headersMs = 10_000, requestMs = 20_000, checkMs = 1_000 } = limits;
  // Longer than clients and proxies keep one, so that they never send into one that is being closed.
  const { idleMs = 75_000 } = limits;
  const server = serve({
    fetch,
    hostname: host,
    port,
    createServer,
    serverOptions: {
      maxHeaderSize: headerBytes,
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      keepAliveTimeout: idleMs,
    },
  });
  if (!('requestTimeout' in server)) throw new TypeError('the server is not one of HTTP/1.1');
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address !== null ? address.port : port };
}
