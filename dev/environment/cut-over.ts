import { type ApplicationSettings, environmentOf, script } from './application.ts';
import type { RunningProcess } from './processes.ts';
import { untilReady } from './ready.ts';

/*
 * The processes of a migration: the stand-in for a legacy monolith with the services that it asks, and the gateway.
 */

const READY_TIMEOUT_MS = 30_000;

/** The legacy stack, up and answering. */
export interface LegacyStack {
  readonly url: string;
  readonly monolith: RunningProcess;
  /** The session and inventory services. */
  readonly services: RunningProcess;
}

/** Starts the stand-in for a legacy monolith and its services; its inner calls take `latencyScale` times what they do. */
export async function startLegacy(
  settings: ApplicationSettings,
  legacy: {
    readonly name?: string;
    readonly port: number;
    readonly servicesPort: number;
    readonly latencyScale: number;
  },
): Promise<LegacyStack> {
  const { name = 'legacy', port, servicesPort, latencyScale } = legacy;
  const environment = { ...environmentOf(settings), LEGACY_LATENCY_SCALE: String(latencyScale) };
  const services = await settings.supervisor.start({
    ...script('dev/legacy/services/main.ts'),
    name: `${name}-services`,
    role: 'application',
    environment: { ...environment, LEGACY_SERVICES_PORT: String(servicesPort) },
  });
  const servicesUrl = `http://127.0.0.1:${servicesPort}`;
  const url = `http://127.0.0.1:${port}`;
  const monolith = await settings.supervisor.start({
    ...script('dev/legacy/main.ts'),
    name,
    role: 'application',
    environment: { ...environment, LEGACY_PORT: String(port), LEGACY_SERVICES_URL: servicesUrl },
  });
  await Promise.all([untilAnswers(services, servicesUrl), untilAnswers(monolith, url)]);
  return { url, monolith, services };
}

/** Starts one gateway before the two stacks. */
export async function startGateway(
  settings: ApplicationSettings,
  gateway: {
    readonly name: string;
    readonly port: number;
    readonly legacyUrl: string;
    readonly apiUrl: string;
    readonly flagFile: string;
    /** Further settings, by the names of their environment variables. */
    readonly environment?: NodeJS.ProcessEnv;
  },
): Promise<{ url: string; process: RunningProcess }> {
  const process = await settings.supervisor.start({
    ...script('edge/main.ts'),
    name: gateway.name,
    role: 'application',
    environment: {
      ...environmentOf(settings),
      EDGE_PORT: String(gateway.port),
      LEGACY_URL: gateway.legacyUrl,
      API_URL: gateway.apiUrl,
      EDGE_FLAGS_FILE: gateway.flagFile,
      ...gateway.environment,
    },
  });
  const url = `http://127.0.0.1:${gateway.port}`;
  await untilAnswers(process, url);
  return { url, process };
}

/** Any answer will do. */
function untilAnswers(process: RunningProcess, url: string): Promise<void> {
  return untilReady(process, READY_TIMEOUT_MS, async () => {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
  });
}
