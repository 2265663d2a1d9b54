import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import {
  type ApplicationSettings,
  migrate,
  startApi,
  startHost,
  startWorker,
} from '../../dev/environment/application.ts';
import { type DemoData, makeDemoData } from '../../dev/environment/demo-data.ts';
import { STACK_FOLDER } from '../../dev/environment/paths.ts';
import { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { startServers } from '../../dev/environment/servers/index.ts';
import { createAuthority } from '../../dev/kit/certificates.ts';
import { terminateTls } from '../../dev/kit/tls-terminator.ts';
import { createNamespace } from './private-stack.ts';

/** A whole application whose connections are encrypted, in processes of its own. */
export interface SecuredStack {
  apiUrl: string;
  adminToken: string;
  data: DemoData;
  /** What its processes were started with: where the servers are and how to reach them. */
  environment: Record<string, string>;
  /** Certificates for trying what is rejected. */
  certificates: { authority: string; otherAuthority: string; client: string; clientKey: string };
  /** Where its processes log. */
  logFolder: string;
  close(): Promise<void>;
}

/**
 * Starts MySQL and Kafka that take nobody without a certificate, puts TLS before the Temporal server of the run, and
 * starts the application on them, with `settings` besides.
 */
export async function createSecuredStack(settings: Record<string, string> = {}): Promise<SecuredStack> {
  const stack = inject('stack');
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-secured-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'test', 'secured') });
  const authority = await createAuthority(folder, 'authority');
  const [server, client, other] = await Promise.all([
    authority.issue('server'),
    authority.issue('client'),
    createAuthority(folder, 'other'),
  ]);
  const tls = { certificateAuthority: authority.path, ...server };
  const terminator = await terminateTls(stack.temporalAddress, tls);
  async function close(): Promise<void> {
    await supervisor.stop();
    await terminator.close();
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const temporal = await createNamespace();
    await temporal.connection.close();
    const environment: Record<string, string> = {
      ...settings,
      TEMPORAL_ADDRESS: terminator.address,
      TEMPORAL_NAMESPACE: temporal.options.namespace,
    };
    for (const name of ['MYSQL', 'KAFKA', 'TEMPORAL']) {
      environment[`${name}_TLS_CA`] = authority.path;
      environment[`${name}_TLS_CERT`] = client.certificate;
      environment[`${name}_TLS_KEY`] = client.key;
    }
    const servers = await startServers({
      supervisor,
      tls,
      dataFolder: folder,
      environment: { ...process.env, ...environment },
      report: () => {},
      ports: 'free',
    });
    environment.MYSQL_URL = servers.mysqlUrl;
    environment.KAFKA_BROKERS = servers.kafkaBrokers;

    const adminToken = randomBytes(24).toString('base64url');
    const application: ApplicationSettings = {
      ...{ supervisor, servers, adminToken },
      environment: { ...process.env, ...environment },
    };
    await migrate(application);
    const { workflowBundle } = stack;
    const [{ url: apiUrl }] = await Promise.all([
      startApi(application, { name: 'api', port: servers.ports.api, workflowBundle, embeddedWorker: true }),
      startWorker(application, { name: 'worker', workflowBundle }),
    ]);
    const data = await makeDemoData({ apiUrl, adminToken, earlier: {}, report: () => {} });
    await Promise.all(data.hosts.map((host) => startHost(application, { ...host, apiUrl })));
    return {
      ...{ apiUrl, adminToken, data, environment, close },
      certificates: {
        authority: authority.path,
        otherAuthority: other.path,
        client: client.certificate,
        clientKey: client.key,
      },
      logFolder: join(supervisor.folder, 'logs'),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
