import { inject, onTestFinished } from 'vitest';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { Program, startProgram } from './program.ts';

/*
 * Processes of the control plane as they run in production, each with an environment of its own, on the servers of the
 * environment unless told otherwise. They are killed when the running test is over, unless the caller stops them.
 */

/** Two cores carry everything else too. */
const START_MS = 60_000;

/** Short waits for hosts, and no worker. */
const QUICK = {
  EMBEDDED_WORKER: 'false',
  MYSQL_POOL_SIZE: '20',
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '2000',
  QUARANTINE_SECONDS: '2',
};

type Environment = Record<string, string | undefined>;

/** An API that runs, and where. */
export interface ApiProcess {
  program: Program;
  url: string;
}

/** Starts an API; its URL is known once it listens. */
export async function startApiProcess(environment: Environment = {}): Promise<ApiProcess> {
  const program = startProgram('api/main.ts', [], { environment: { ...apiOnSharedServers(), ...environment } });
  return { program, url: await urlOf(program) };
}

/** Starts an API that answers quickly and is ready; the caller stops it. */
export async function openApiProcess(settings: Environment = {}): Promise<ApiProcess & { stop(): Promise<void> }> {
  const program = new Program('api/main.ts', [], { environment: { ...apiOnSharedServers(), ...QUICK, ...settings } });
  const stop = async () => {
    program.signal('SIGTERM');
    await program.ended();
  };
  try {
    const api = { program, url: await urlOf(program), stop };
    await ready(api);
    return api;
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The same for the running test, which stops it. */
export async function useApiProcess(settings?: Environment): Promise<ApiProcess> {
  const api = await openApiProcess(settings);
  onTestFinished(api.stop);
  return api;
}

function urlOf(program: Program): Promise<string> {
  return until('the API listens', async () => /"url":"([^"]+)"/.exec(program.output)?.[1], START_MS);
}

/** Waits until an API says that all it needs answers. */
export async function ready({ url }: ApiProcess): Promise<void> {
  const http = new Http(url, null);
  await until(`${url} is ready`, async () => (await http.get('/readyz')).status === 200);
}

/** Starts a worker, and waits until it says that it has. */
export async function startWorkerProcess(environment: Environment = {}): Promise<Program> {
  const program = startProgram('workers/main.ts', [], { environment: { ...onSharedServers(), ...environment } });
  await program.printed('worker started', START_MS);
  return program;
}

/** Starts the agent of a host; `options` are those of its command line. */
export function startAgentProcess(
  host: { name: string; token: string; apiUrl: string },
  options: string[] = [],
  environment: Environment = {},
): Program {
  return startProgram('host/main.ts', ['--host', host.name, ...options], {
    environment: { API_URL: host.apiUrl, HOST_TOKEN: host.token, LOG_LEVEL: 'debug', ...environment },
  });
}

function apiOnSharedServers(): Environment {
  return { ...onSharedServers(), ADMIN_TOKEN: inject('environment').adminToken, API_PORT: '0' };
}

function onSharedServers(): Environment {
  const { mysqlUrl, kafkaBrokers, temporalAddress, workflowBundle } = inject('environment');
  return {
    MYSQL_URL: mysqlUrl,
    MYSQL_POOL_SIZE: '10',
    KAFKA_BROKERS: kafkaBrokers,
    TEMPORAL_ADDRESS: temporalAddress,
    WORKFLOW_BUNDLE: workflowBundle,
    LOG_LEVEL: 'info',
  };
}
