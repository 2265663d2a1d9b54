import { limitConnections } from '../platform/http/connection-limits.ts';
import { startServer } from '../platform/http/server.ts';
import { StoppableServer } from '../platform/http/shutdown.ts';
import { createApp } from './app.ts';
import type { ApiDependencies, Audience } from './context.ts';
import { createFairness } from './fairness/fairness.ts';
import type { ApiConfiguration } from './settings.ts';

/** Where a listener is to be, and for whom. */
interface Listener {
  host: string;
  port: number;
  portSetting: string;
  audiences: Audience[];
}

/** An API that listens. */
export interface Listeners {
  stop(options: { drainMs: number }): Promise<void>;
}

/**
 * Opens the addresses of the API. Operators and hosts are served on the public one only while they have none of their
 * own. The public one is opened last, so whoever reaches it can reach the others. Throws a {@link ListenError} when it cannot listen.
 */
export async function startListeners(
  configuration: ApiConfiguration,
  dependencies: ApiDependencies,
): Promise<Listeners> {
  const { logger } = dependencies;
  const [own, shared] = addressesOf(configuration);
  const servers: StoppableServer[] = [];
  // One for all listeners: what is shared out is the process.
  const fairness = createFairness({ limits: configuration, ...dependencies });
  const open = async ({ host, port: asked, portSetting, audiences }: Listener) => {
    const { fetch } = createApp(dependencies, audiences, fairness);
    const { server, port } = await startServer({ fetch, host, port: asked, portSetting, logger });
    limitConnections(server, {
      total: configuration.API_CONNECTIONS,
      perAddress: configuration.API_ADDRESS_CONNECTIONS,
      isExempt: (address) => fairness.addresses.isTrusted(address),
    });
    servers.push(new StoppableServer(server));
    return { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, audiences };
  };
  const opened = [];
  for (const listener of own) opened.push(await open(listener));
  opened.unshift(await open(shared));
  for (const { url, audiences } of opened) logger.info({ url, audiences }, 'listening');
  return {
    async stop(options) {
      await Promise.all(servers.map((server) => server.stop(options)));
    },
  };
}

/** The listeners of one audience each, and the public one. */
function addressesOf(configuration: ApiConfiguration): [own: Listener[], shared: Listener] {
  const { API_HOST, API_PORT, INTERNAL_HOST, INTERNAL_PORT, HOST_API_HOST, HOST_API_PORT } = configuration;
  const own: Listener[] = [];
  const shared: Listener = { host: API_HOST, port: API_PORT, portSetting: 'API_PORT', audiences: ['customers'] };
  const place = (audience: Audience, portSetting: string, host = '127.0.0.1', port?: number) => {
    if (port === undefined) shared.audiences.push(audience);
    else own.push({ host, port, portSetting, audiences: [audience] });
  };
  place('operators', 'INTERNAL_PORT', INTERNAL_HOST, INTERNAL_PORT);
  place('hosts', 'HOST_API_PORT', HOST_API_HOST, HOST_API_PORT);
  return [own, shared];
}
