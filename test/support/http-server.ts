import { createServer, type RequestListener } from 'node:http';
import { onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../dev/environment/ports.ts';

/** An HTTP server of the running test on a free loopback port, closed with its connections; answers its URL. */
export async function useHttpServer(handle: RequestListener): Promise<string> {
  const server = createServer(handle);
  const port = await listenOnLoopback(server);
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${port}`;
}
