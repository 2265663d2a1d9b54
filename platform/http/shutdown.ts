import type { Server, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long requests under way may take to finish, in milliseconds. */
const GRACE_MS = 10_000;

/**
 * Stops a server so that no client has its connection cut off under a request. For `drainMs` milliseconds it goes on as
 * before, but each answer says that its connection ends with it; then it takes no more connections, lets the requests
 * under way finish, and cuts off those that take too long. A connection on which nothing was asked during `drainMs` is
 * closed after it.
 */
export class StoppableServer {
  readonly #server: Server;
  readonly #responses = new Set<ServerResponse>();
  #stopping = false;

  constructor(server: Server) {
    this.#server = server;
    // Before the listener that answers.
    server.prependListener('request', (_request, response: ServerResponse) => {
      response.shouldKeepAlive &&= !this.#stopping;
      this.#responses.add(response);
      response.once('close', () => this.#responses.delete(response));
    });
  }

  async stop({ drainMs }: { drainMs: number }): Promise<void> {
    this.#stopping = true;
    for (const response of this.#responses) response.shouldKeepAlive = false;
    await sleep(drainMs);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // A connection that is kept alive is idle only once its answer is out, so ask more than once.
    const idle = setInterval(() => this.#server.closeIdleConnections(), 100);
    const cutOff = setTimeout(() => this.#server.closeAllConnections(), GRACE_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(cutOff);
  }
}
