import { once } from 'node:events';
import { pino } from 'pino';
import { collectDefaultMetrics } from 'prom-client';
import { ConfigurationError, parseEdgeConfiguration } from '../config/configuration.ts';
import { openDatabase } from '../db/database.ts';
import { startServer } from '../http/server.ts';
import { closeServer } from '../http/shutdown.ts';
import { openProvider } from './flags/open-provider.ts';
import { createGateway } from './gateway.ts';
import { createInspection } from './inspection.ts';

/*
 * The gateway as a process of its own.
 */

/** A faithful gateway does not cut off what an upstream would take; both stacks have limits of their own. */
const LIMITS = { requestMs: 300_000 };

async function main(): Promise<void> {
  const configuration = parseEdgeConfiguration(process.env);
  const logger = pino({ name: 'edge', level: configuration.LOG_LEVEL });
  const db = openDatabase(configuration.mysql);
  const gateway = await createGateway({
    logger,
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
    defaultStack: configuration.EDGE_DEFAULT_UPSTREAM,
    trustForwarded: configuration.EDGE_TRUST_FORWARDED,
    shadow: { percent: configuration.EDGE_SHADOW_PERCENT, ignored: configuration.EDGE_SHADOW_IGNORE },
  });
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const servers = [];
  try {
    const { EDGE_HOST: host, EDGE_PORT, METRICS_ADDRESS } = configuration;
    if (METRICS_ADDRESS !== undefined) {
      collectDefaultMetrics({ register: gateway.metrics.registry });
      const { hostname, port } = new URL(`http://${METRICS_ADDRESS}`);
      const { server } = await startServer({
        fetch: createInspection(gateway).fetch,
        host: hostname,
        port: Number(port),
      });
      servers.push(server);
    }
    const { server, port } = await startServer({ fetch: gateway.app.fetch, host, port: EDGE_PORT, limits: LIMITS });
    servers.push(server);
    logger.info({ url: `http://${host}:${port}` }, 'listening');
    await stopped;
    logger.info('stopping');
    await Promise.all(servers.map((one) => closeServer(one)));
  } finally {
    await gateway.close();
    await db.destroy();
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error instanceof ConfigurationError ? error.message : error);
    process.exit(1);
  },
);
