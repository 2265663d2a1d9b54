import { type ApplicationSettings, environmentOf } from '../environment/application.ts';
import { freePort } from '../environment/ports.ts';
import type { RunningProcess } from '../environment/processes.ts';
import { untilReady } from '../environment/ready.ts';
import type { Environment } from './running-environment.ts';

/*
 * The processes of a cut-over: the stand-in for a legacy monolith with the services that it asks, and gateways.
 */

const READY_TIMEOUT_MS = 30_000;
/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9';

/** Starts the stand-in for a legacy monolith and its services; its inner calls take `latencyScale` times what they do. */
export async function startLegacy(environment: Environment, latencyScale = 1, settings = environment.settings) {
  const variables = { ...environmentOf(settings), LEGACY_LATENCY_SCALE: String(latencyScale) };
  const start = async (name: string, path: string, port: string, more: NodeJS.ProcessEnv = {}) => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const own = { ...variables, ...more, [port]: new URL(url).port };
    return { url, process: await environment.startScript(name, path, { settings: own }) };
  };
  const services = await start('legacy-services', 'dev/legacy/services/main.ts', 'LEGACY_SERVICES_PORT');
  const asked = { LEGACY_SERVICES_URL: services.url };
  const monolith = await start('legacy', 'dev/legacy/main.ts', 'LEGACY_PORT', asked);
  await Promise.all([services, monolith].map(untilAnswers));
  return { url: monolith.url, monolith: monolith.process, services: services.process };
}

/** How a gateway is started. */
export interface GatewayStart {
  /** Default `gateway`. */
  readonly name?: string;
  /** Default that of the first API. */
  readonly apiUrl?: string;
  /** Default one at which nobody listens. */
  readonly legacyUrl?: string;
  /** Further settings, by the names of their environment variables. */
  readonly variables?: NodeJS.ProcessEnv;
  readonly settings?: ApplicationSettings;
}

/** Starts a gateway over the flags of the environment. */
export async function startGateway(environment: Environment, start: GatewayStart = {}) {
  const { name = 'gateway', apiUrl = environment.apiUrl, legacyUrl = NOWHERE, variables, settings } = start;
  const url = `http://127.0.0.1:${await freePort()}`;
  const process = await environment.startScript(name, 'edge/main.ts', {
    settings: {
      ...environmentOf(settings ?? environment.settings),
      EDGE_PORT: new URL(url).port,
      LEGACY_URL: legacyUrl,
      API_URL: apiUrl,
      EDGE_FLAGS_FILE: environment.flagFile,
      ...variables,
    },
  });
  await untilAnswers({ url, process });
  return { url, process };
}

/** Any answer will do. */
function untilAnswers({ url, process }: { url: string; process: RunningProcess }): Promise<void> {
  return untilReady(process, READY_TIMEOUT_MS, async () => {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
  });
}
