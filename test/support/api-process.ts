import { inject, onTestFinished } from 'vitest';
import { freePort } from '../../dev/environment/ports.ts';
import { until } from '../../dev/kit/until.ts';
import { Program } from './program.ts';

/** An API process of its own. */
export interface ApiProcess {
  url: string;
  /** What it has logged so far. */
  log(): string;
  stop(): Promise<void>;
}

/** Starts an API process on the servers of the stack, with settings of its own; the caller stops it. */
export async function startApiProcess(settings: Record<string, string> = {}): Promise<ApiProcess> {
  const { adminToken, mysqlUrl, kafkaBrokers, temporalAddress, workflowBundle } = inject('stack');
  const port = await freePort();
  const program = new Program('api/main.ts', [], {
    environment: {
      MYSQL_URL: mysqlUrl,
      KAFKA_BROKERS: kafkaBrokers,
      TEMPORAL_ADDRESS: temporalAddress,
      WORKFLOW_BUNDLE: workflowBundle,
      ADMIN_TOKEN: adminToken,
      API_PORT: String(port),
      EMBEDDED_WORKER: 'false',
      HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '2000',
      QUARANTINE_SECONDS: '2',
      ...settings,
    },
  });
  const stop = async () => {
    program.signal('SIGTERM');
    await program.ended();
  };
  const url = `http://127.0.0.1:${port}`;
  try {
    await until('the API is ready', () =>
      fetch(`${url}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      ),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, log: () => program.output, stop };
}

/** The same for the running test, which stops it. */
export async function useApiProcess(settings?: Record<string, string>): Promise<ApiProcess> {
  const api = await startApiProcess(settings);
  onTestFinished(api.stop);
  return api;
}
