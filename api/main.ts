import { ConfigurationError, parseApiConfiguration } from '../config/configuration.ts';
import { aborted, termination } from '../config/termination.ts';
import { refuseUnsafeDatabase } from '../db/database.ts';
import { UnsafeDatabaseError } from '../db/unsafe-database.ts';
import { createLogger } from '../logging/logger.ts';
import { describeError, printError, printUncaughtErrors } from '../text/print.ts';
import { createDependencies } from './dependencies.ts';
import { startListeners } from './listeners.ts';

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
    const listeners = await startListeners(configuration, dependencies);
    await aborted(stopping);
    dependencies.waitingHosts.drain();
    await listeners.stop({ drainMs: configuration.API_DRAIN_MS });
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
