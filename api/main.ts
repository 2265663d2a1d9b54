import { assertSafeDatabase } from '../db/database.ts';
import { runProcess } from '../platform/config/run-process.ts';
import { aborted, termination } from '../platform/config/termination.ts';
import { createLogger } from '../platform/logging/logger.ts';
import { createDependencies } from './dependencies.ts';
import { startListeners } from './listeners.ts';
import { parseApiConfiguration } from './settings.ts';

/*
 * The API as a process of its own.
 */

/** From the signal to the end, at most. */
const STOP_WITHIN_MS = 15_000;

async function main(): Promise<void> {
  const configuration = parseApiConfiguration(process.env);
  const logger = createLogger({ name: 'api', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });
  const { dependencies, warmUp, close } = await createDependencies(configuration, logger, stopping);
  try {
    await assertSafeDatabase(dependencies.db);
    warmUp();
    const listeners = await startListeners(configuration, dependencies);
    await aborted(stopping);
    dependencies.waitingHosts.drain();
    await listeners.stop({ drainMs: configuration.API_DRAIN_MS });
  } finally {
    await close();
  }
}

runProcess(main);
