import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { freePort } from '../../dev/environment/ports.ts';
import { startEnvironment } from '../../dev/kit/environment.ts';
import { currentControl } from '../../dev/testbed/control.ts';
import { recordHistories } from './recorded-histories.ts';
import { findSecrets } from './secrets-in-logs.ts';

/** Where the tests find the one environment that the whole run shares. */
export interface TestEnvironment {
  /** An API process with a worker inside. */
  apiUrl: string;
  /** Another API process, without one, on the same servers. */
  secondApiUrl: string;
  adminToken: string;
  mysqlUrl: string;
  kafkaBrokers: string;
  temporalAddress: string;
  /** Empty when an existing server is used whose Web UI is not known. */
  temporalUiUrl: string;
  workflowBundle: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    environment: TestEnvironment;
  }
}

/** Short timeouts, so that tests of silent hosts are quick. */
const RULES = {
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '2000',
  HOST_ACKNOWLEDGMENT_ATTEMPTS: '2',
  QUARANTINE_SECONDS: '2',
  // Many tests send wrong tokens, all of them from one address.
  API_WRONG_TOKENS_PER_MINUTE: '10000',
  // Tests break rows and end workflows on purpose; those of the consistency check have a database of their own.
  AUDIT_EVERY_SECONDS: '0',
};

/** Starts the real servers and the application once, on free ports and empty data; stops them after the last test. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stopping = new AbortController();
  process.once('SIGTERM', () => stopping.abort());
  const options = {
    folder: 'test',
    settings: RULES,
    // As talkative as can be, because the run ends with a search for secrets in all logs.
    logLevel: 'trace',
    report: (line: string) => console.log(`environment: ${line}`),
    onDeath: (failure: Error) => console.error(failure.message),
    signal: stopping.signal,
  };
  const environment = await startEnvironment(options, async (started) => {
    await started.prepare();
    const port = await freePort();
    await Promise.all([
      // Hosts of the test bed come from other namespaces; there is no way into this one but theirs.
      started.startApi(currentControl() === null ? {} : { host: '0.0.0.0' }),
      started.startApi({ name: 'api-2', port, embeddedWorker: false }),
      started.startWorker(),
    ]);
    const { servers, apiUrl, adminToken, workflowBundle, supervisor } = started;
    const { mysqlUrl, kafkaBrokers, temporalAddress, temporalUiUrl } = servers;
    project.provide('environment', {
      ...{ apiUrl, adminToken, mysqlUrl, kafkaBrokers, temporalAddress, temporalUiUrl, workflowBundle },
      secondApiUrl: `http://127.0.0.1:${port}`,
    });
    const secrets = { 'the admin token': adminToken, 'the password of MySQL': new URL(mysqlUrl).password };
    return { temporalAddress, secrets, logFolder: join(supervisor.folder, 'logs') };
  });
  const { close, temporalAddress, logFolder, secrets } = environment;
  stopping.signal.addEventListener('abort', () => void close().finally(() => process.exit(143)));
  if (process.env.RECORD_HISTORIES === 'true') {
    return async () => {
      const names = await recordHistories(temporalAddress).finally(close);
      console.log(`recorded ${names.length} histories`);
    };
  }
  return async () => {
    await close();
    const leaks = await findSecrets(logFolder, secrets);
    for (const { file, line, secret } of leaks) console.error(`${secret} was logged: ${file}:${line}`);
    if (leaks.length > 0) throw new Error('secrets were logged');
  };
}
