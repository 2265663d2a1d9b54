import { join } from 'node:path';
import { inject } from 'vitest';
import { type DemoData, makeDemoData } from '../../dev/environment/demo-data.ts';
import { createAuthority } from '../../dev/kit/certificates.ts';
import { type Closable, type Place, startEnvironment } from '../../dev/kit/environment.ts';
import { terminateTls } from '../../dev/kit/tls-terminator.ts';
import { createNamespace } from './private-environment.ts';

/** A whole application whose connections are encrypted, in processes of its own. */
export interface SecuredEnvironment extends Closable {
  apiUrl: string;
  adminToken: string;
  data: DemoData;
  /** What its processes were started with: where the servers are and how to reach them. */
  variables: Record<string, string>;
  /** Certificates for trying what is rejected. */
  certificates: { authority: string; otherAuthority: string; client: string; clientKey: string };
  /** Where its processes log. */
  logFolder: string;
}

/**
 * Starts MySQL and Kafka that take nobody without a certificate, puts TLS before the Temporal server of the run, and
 * starts the application on them, with `settings` besides.
 */
export async function createSecuredEnvironment(settings: Record<string, string> = {}): Promise<SecuredEnvironment> {
  const { workflowBundle } = inject('environment');
  const temporal = await createNamespace();
  await temporal.connection.close();
  let certificates: SecuredEnvironment['certificates'];
  let variables: Record<string, string> = { ...settings, TEMPORAL_NAMESPACE: temporal.options.namespace };
  const beforeServers = async ({ dataFolder, onStopped }: Place) => {
    const [authority, other] = [
      await createAuthority(dataFolder, 'authority'),
      await createAuthority(dataFolder, 'other'),
    ];
    const [server, client] = await Promise.all([authority.issue('server'), authority.issue('client')]);
    const tls = { certificateAuthority: authority.path, ...server };
    const terminator = await terminateTls(inject('environment').temporalAddress, tls);
    onStopped(() => terminator.close());
    variables = { ...variables, TEMPORAL_ADDRESS: terminator.address };
    for (const name of ['MYSQL', 'KAFKA', 'TEMPORAL']) {
      variables[`${name}_TLS_CA`] = authority.path;
      variables[`${name}_TLS_CERT`] = client.certificate;
      variables[`${name}_TLS_KEY`] = client.key;
    }
    const own = { client: client.certificate, clientKey: client.key };
    certificates = { authority: authority.path, otherAuthority: other.path, ...own };
    return { tls, settings: variables };
  };
  return startEnvironment({ folder: 'test/secured', workflowBundle, beforeServers }, async (environment) => {
    const { apiUrl, adminToken, supervisor, servers } = environment;
    await environment.startApplication();
    const data = await makeDemoData({ apiUrl, adminToken, earlier: {}, report: () => {} });
    await environment.startHosts(data.hosts);
    return {
      ...{ apiUrl, adminToken, data, certificates },
      variables: { ...variables, MYSQL_URL: servers.mysqlUrl, KAFKA_BROKERS: servers.kafkaBrokers },
      logFolder: join(supervisor.folder, 'logs'),
    };
  });
}
