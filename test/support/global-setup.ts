import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundleWorkflows, migrate, startApi, startWorker } from '../../dev/environment/application.ts';
import { STACK_FOLDER } from '../../dev/environment/paths.ts';
import { freePort } from '../../dev/environment/ports.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { startServers } from '../../dev/environment/servers/index.ts';
import { currentControl } from '../../dev/testbed/control.ts';
import { recordHistories } from './recorded-histories.ts';
import { findSecrets } from './secrets-in-logs.ts';

/** Where the tests find the one stack that the whole run shares. */
export interface TestStack {
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
    stack: TestStack;
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
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-test-'));
  const supervisor = new ProcessSupervisor({
    folder: join(STACK_FOLDER, 'test'),
    onUnexpectedExit: (failure) => console.error(failure.message),
  });
  async function tearDown(): Promise<void> {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  process.once('SIGTERM', () => void tearDown().finally(() => process.exit(143)));

  try {
    const environment = { ...process.env, ...RULES };
    const report = (line: string) => console.log(`stack: ${line}`);
    const servers = await startServers({ supervisor, dataFolder, environment, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    // As talkative as can be, because the run ends with a search for secrets in all logs.
    const settings = { supervisor, servers, environment, adminToken, logLevel: 'trace' };
    const [workflowBundle] = await Promise.all([bundleWorkflows(settings), migrate(settings)]);
    const [first, second] = await Promise.all([
      startApi(settings, {
        name: 'api',
        port: servers.ports.api,
        workflowBundle,
        embeddedWorker: true,
        // Hosts of the test bed come from other namespaces; there is no way into this one but theirs.
        ...(currentControl() !== null && { host: '0.0.0.0' }),
      }),
      startApi(settings, { name: 'api-2', port: await freePort(), workflowBundle, embeddedWorker: false }),
      startWorker(settings, { name: 'worker', workflowBundle }),
    ]);
    project.provide('stack', {
      apiUrl: first.url,
      secondApiUrl: second.url,
      adminToken: settings.adminToken,
      mysqlUrl: servers.mysqlUrl,
      kafkaBrokers: servers.kafkaBrokers,
      temporalAddress: servers.temporalAddress,
      temporalUiUrl: servers.temporalUiUrl,
      workflowBundle,
    });
    const secrets = { 'the admin token': adminToken, 'the password of MySQL': new URL(servers.mysqlUrl).password };
    const end = async () => {
      await tearDown();
      const leaks = await findSecrets(join(supervisor.folder, 'logs'), secrets);
      for (const { file, line, secret } of leaks) console.error(`${secret} was logged: ${file}:${line}`);
      if (leaks.length > 0) throw new Error('secrets were logged');
    };
    if (process.env.RECORD_HISTORIES !== 'true') return end;
    return async () => {
      const names = await recordHistories(servers.temporalAddress).finally(tearDown);
      console.log(`recorded ${names.length} histories`);
    };
  } catch (error) {
    await tearDown();
    throw error;
  }
}
