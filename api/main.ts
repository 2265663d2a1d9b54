import { ConfigurationError, parseApiConfiguration } from '../config/configuration.ts';
import { aborted, termination } from '../config/termination.ts';
import { refuseUnsafeDatabase } from '../db/database.ts';
import { UnsafeDatabaseError } from '../db/unsafe-database.ts';
import { startServer } from '../http/server.ts';
import { StoppableServer } from '../http/shutdown.ts';
import { createLogger } from '../logging/logger.ts';
import { describeError, printError, printUncaughtErrors } from '../text/print.ts';
import { createApp } from './app.ts';
import { createDependencies } from './dependencies.ts';

printUncaughtErrors();

/*
 * The API as a process of its own.
 */

/** From the signal to the end, at most. */
const STOP_WITHIN_MS = 15_000;

async function main(): Promise<void> {
  const configuration = parseApiConfiguration(process.env);
  const logger = createLogger({ name: 'api', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });
  const { dependencies, close } = await createDependencies(configuration, logger, stopping);
  try {
    await refuseUnsafeDatabase(dependencies.db);
    const { API_HOST: host, API_PORT } = configuration;
    const { server, port } = await startServer({ fetch: createApp(dependencies).fetch, host, port: API_PORT });
    const stoppable = new StoppableServer(server);
    logger.info({ url: `http://${host}:${port}` }, 'listening');
    await aborted(stopping);
    dependencies.waitingHosts.drain();
    await stoppable.stop({ drainMs: configuration.API_DRAIN_MS });
  } finally {
    await close();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const isPlain = error instanceof ConfigurationError || error instanceof UnsafeDatabaseError;
    printError(isPlain ? error.message : describeError(error));
    process.exit(1);
  },
);
