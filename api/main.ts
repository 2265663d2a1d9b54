import { once } from 'node:events';
import { ConfigurationError, parseApiConfiguration } from '../config/configuration.ts';
import { createLogger } from '../logging/logger.ts';
import { createApp } from './app.ts';
import { createDependencies } from './dependencies.ts';
import { startServer } from './server.ts';
import { closeServer } from './shutdown.ts';

/*
 * The API as a process of its own.
 */

async function main(): Promise<void> {
  const configuration = parseApiConfiguration(process.env);
  const logger = createLogger({ name: 'api', level: configuration.LOG_LEVEL });
  const { dependencies, close } = await createDependencies(configuration, logger);
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  try {
    const { API_HOST: host, API_PORT } = configuration;
    const { server, port } = await startServer({ fetch: createApp(dependencies).fetch, host, port: API_PORT });
    logger.info({ url: `http://${host}:${port}` }, 'listening');
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
