import { assertSafeDatabase, openDatabase } from '../../../db/database.ts';
import { runProcess } from '../../../platform/config/run-process.ts';
import { aborted, termination } from '../../../platform/config/termination.ts';
import { startServer } from '../../../platform/http/server.ts';
import { createLogger } from '../../../platform/logging/logger.ts';
import { latencyOf } from '../latency.ts';
import { parseLegacyServicesConfiguration } from '../settings.ts';
import { createServices } from './app.ts';

/*
 * The services that the legacy monolith asks, as a process of their own.
 */

async function main(): Promise<void> {
  const configuration = parseLegacyServicesConfiguration(process.env);
  const logger = createLogger({ name: 'legacy-services', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: 5_000 });
  const db = openDatabase(configuration.mysql);
  await assertSafeDatabase(db);
  const app = createServices({ db, latency: latencyOf(configuration.LEGACY_LATENCY_SCALE) });
  const { LEGACY_SERVICES_HOST: host, LEGACY_SERVICES_PORT } = configuration;
  const { port } = await startServer({
    fetch: app.fetch,
    host,
    port: LEGACY_SERVICES_PORT,
    portSetting: 'LEGACY_SERVICES_PORT',
    logger,
  });
  logger.info({ url: `http://${host}:${port}` }, 'listening');
  await aborted(stopping);
  await db.destroy();
}

runProcess(main);
