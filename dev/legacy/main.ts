import { assertSafeDatabase, openDatabase } from '../../db/database.ts';
import { runProcess } from '../../platform/config/run-process.ts';
import { aborted, termination } from '../../platform/config/termination.ts';
import { startServer } from '../../platform/http/server.ts';
import { StoppableServer } from '../../platform/http/shutdown.ts';
import { createLogger } from '../../platform/logging/logger.ts';
import { latencyOf } from './latency.ts';
import { createMonolith } from './monolith/app.ts';
import { endConfirmedActions } from './monolith/confirmations.ts';
import { Emitter } from './monolith/emit.ts';
import { InnerServices } from './monolith/inner-services.ts';
import { parseLegacyConfiguration } from './settings.ts';

/*
 * A stand-in for a legacy monolith, on the database of the new upstream. See docs/cut-over.md.
 */

async function main(): Promise<void> {
  const configuration = parseLegacyConfiguration(process.env);
  const logger = createLogger({ name: 'legacy', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: 15_000 });
  const db = openDatabase(configuration.mysql);
  await assertSafeDatabase(db);
  const latency = latencyOf(configuration.LEGACY_LATENCY_SCALE);
  const emitter = await Emitter.connect({ ...configuration.kafka, logger }, latency);
  const services = new InnerServices(configuration.LEGACY_SERVICES_URL);
  const app = createMonolith({ db, services, emitter, logger });
  const { LEGACY_HOST: host, LEGACY_PORT } = configuration;
  const { server, port } = await startServer({
    fetch: app.fetch,
    host,
    port: LEGACY_PORT,
    portSetting: 'LEGACY_PORT',
    logger,
  });
  const stoppable = new StoppableServer(server);
  const confirming = endConfirmedActions(db, logger, stopping);
  logger.info({ url: `http://${host}:${port}` }, 'listening');
  await aborted(stopping);
  await stoppable.stop({ drainMs: 0 });
  await confirming;
  await emitter.close();
  await db.destroy();
}

runProcess(main);
