import { connect, createServer } from 'node:net';
import { inject, onTestFinished } from 'vitest';
import { listenOnLoopback } from '../../dev/environment/ports.ts';

/**
 * A way to the database of the stack, or to another one, for the running test, on which the statements that match are
 * counted.
 */
export async function useWatchedDatabase(
  matching: RegExp,
  mysqlUrl = inject('stack').mysqlUrl,
): Promise<{ mysqlUrl: string; looks(): number }> {
  const target = new URL(mysqlUrl);
  let count = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    client.on('data', (data) => {
      if (matching.test(data.toString('latin1'))) count++;
    });
    for (const socket of [client, upstream]) socket.on('error', () => {}).on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
  const port = await listenOnLoopback(server);
  onTestFinished(() => {
    server.close();
  });
  return {
    mysqlUrl: Object.assign(new URL(target), { hostname: '127.0.0.1', port: String(port) }).href,
    looks: () => count,
  };
}
