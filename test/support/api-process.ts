import { inject, onTestFinished } from 'vitest';
import { freePort } from '../../stack/ports.ts';
import { startProgram } from './program.ts';
import { until } from './until.ts';

/** An API process of its own. */
export interface ApiProcess {
  url: string;
  /** What it has logged so far. */
  log(): string;
}

/** Starts an API process on the servers of the stack, with settings of its own; it ends with the running test. */
export async function useApiProcess(settings: Record<string, string> = {}): Promise<ApiProcess> {
  const { adminToken, mysqlUrl, kafkaBrokers, temporalAddress, workflowBundle } = inject('stack');
  const port = await freePort();
  const program = startProgram('api/main.ts', [], {
    environment: {
      MYSQL_URL: mysqlUrl,
      KAFKA_BROKERS: kafkaBrokers,
      TEMPORAL_ADDRESS: temporalAddress,
      WORKFLOW_BUNDLE: workflowBundle,
      ADMIN_TOKEN: adminToken,
      API_PORT: String(port),
      EMBEDDED_WORKER: 'false',
      HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '2000',
      ...settings,
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await until('the API is ready', () =>
    fetch(`${url}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );
  onTestFinished(() => program.signal('SIGTERM'));
  return { url, log: () => program.output };
}
