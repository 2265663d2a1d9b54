import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { pino } from 'pino';
import { ConfigurationError, parseApiConfiguration } from '../config/configuration.ts';
import { createApp } from './app.ts';
import { createDependencies } from './dependencies.ts';
import { closeServer } from './shutdown.ts';

/*
 * The API as a process of its own.
 */

/** Longer than clients and proxies keep an idle connection, so that they never send into one that is being closed. */
const KEEP_ALIVE_MS = 75_000;

async function main(): Promise<void> {
  const configuration = parseApiConfiguration(process.env);
  const logger = pino({ name: 'api', level: configuration.LOG_LEVEL });
  const { dependencies, close } = await createDependencies(configuration, logger);
  const app = createApp(dependencies);
  const server = serve({
    fetch: app.fetch,
    hostname: configuration.API_HOST,
    port: configuration.API_PORT,
    serverOptions: { keepAliveTimeout: KEEP_ALIVE_MS },
  });
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  try {
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : configuration.API_PORT;
    logger.info({ url: `http://${configuration.API_HOST}:${port}` }, 'listening');
    await stopped;
    logger.info('stopping');
    dependencies.waitingHosts.close();
    await closeServer(server);
  } finally {
    await close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof ConfigurationError ? error.message : error);
    process.exit(1);
  },
);
