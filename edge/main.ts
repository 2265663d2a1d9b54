import { collectDefaultMetrics } from 'prom-client';
import { assertSafeDatabase, openDatabase } from '../db/database.ts';
import { runProcess } from '../platform/config/run-process.ts';
import { aborted, termination } from '../platform/config/termination.ts';
import { limitConnections } from '../platform/http/connection-limits.ts';
import { startServer } from '../platform/http/server.ts';
import { StoppableServer } from '../platform/http/shutdown.ts';
import { createLogger } from '../platform/logging/logger.ts';
import { openProvider } from './flags/open-provider.ts';
import { createGateway } from './gateway.ts';
import { createInspection } from './inspection.ts';
import { parseEdgeConfiguration } from './settings.ts';

/*
 * The gateway as a process of its own.
 */

/** From the signal to the end, at most. */
const STOP_WITHIN_MS = 15_000;

async function main(): Promise<void> {
  const configuration = parseEdgeConfiguration(process.env);
  const logger = createLogger({ name: 'edge', level: configuration.LOG_LEVEL });
  const stopping = termination({ logger, withinMs: STOP_WITHIN_MS });
  const db = openDatabase(configuration.mysql);
  await assertSafeDatabase(db);
  const gateway = await createGateway({
    logger,
    stopping,
    db,
    provider: await openProvider({
      file: configuration.EDGE_FLAGS_FILE,
      module: configuration.EDGE_FLAGS_PROVIDER,
      logger,
    }),
    legacyUrl: configuration.LEGACY_URL,
    apiUrl: configuration.API_URL,
    timeouts: {
      connectMs: configuration.EDGE_CONNECT_TIMEOUT_MS,
      answerMs: configuration.EDGE_ANSWER_TIMEOUT_MS,
      bodyMs: configuration.EDGE_BODY_TIMEOUT_MS,
    },
    defaultUpstream: configuration.EDGE_DEFAULT_UPSTREAM,
    trustForwarded: configuration.EDGE_TRUST_FORWARDED,
    requestHeaders: configuration.EDGE_REQUEST_HEADERS,
    wrongTokensPerMinute: configuration.EDGE_WRONG_TOKENS_PER_MINUTE,
    shadow: { percent: configuration.EDGE_SHADOW_PERCENT, ignored: configuration.EDGE_SHADOW_IGNORE },
  });
  try {
    const { EDGE_HOST: host, EDGE_PORT, METRICS_ADDRESS } = configuration;
    if (METRICS_ADDRESS !== undefined) {
      collectDefaultMetrics({ register: gateway.metrics.registry });
      const { hostname, port } = new URL(`http://${METRICS_ADDRESS}`);
      await startServer({
        fetch: createInspection(gateway).fetch,
        host: hostname,
        port: Number(port),
        portSetting: 'METRICS_ADDRESS',
        logger,
      });
    }
    const { server, port } = await startServer({
      fetch: gateway.app.fetch,
      host,
      port: EDGE_PORT,
      portSetting: 'EDGE_PORT',
      logger,
    });
    limitConnections(server, {
      total: configuration.EDGE_CONNECTIONS,
      perAddress: configuration.EDGE_ADDRESS_CONNECTIONS,
      isExempt: () => configuration.EDGE_TRUST_FORWARDED,
    });
    const stoppable = new StoppableServer(server);
    logger.info({ url: `http://${host}:${port}` }, 'listening');
    await aborted(stopping);
    await stoppable.stop({ drainMs: configuration.EDGE_DRAIN_MS });
  } finally {
    await gateway.close();
    await db.destroy();
  }
}

runProcess(main);
