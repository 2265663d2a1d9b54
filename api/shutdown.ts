import type { ServerType } from '@hono/node-server';

/** Options of {@link closeServer}. */
export interface CloseServerOptions {
  /** How long requests under way may take to finish; default 10. */
  graceSeconds?: number;
}

/** Takes no more connections, lets the requests under way finish, and cuts those off that take too long. */
export async function closeServer(server: ServerType, { graceSeconds = 10 }: CloseServerOptions = {}): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  if (!('closeAllConnections' in server)) return closed;
  // A connection that is kept alive is idle only once its answer is out, so ask more than once.
  const idle = setInterval(() => server.closeIdleConnections(), 100);
  const cutOff = setTimeout(() => server.closeAllConnections(), graceSeconds * 1_000);
  await closed;
  clearInterval(idle);
  clearTimeout(cutOff);
}
