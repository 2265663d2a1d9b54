import { Client, type ClientOptions, Connection, isGrpcServiceError, ServiceError } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow/index.js';
import { ServerUnreachableError } from '../config/server-unreachable.ts';
import type { TemporalSettings } from '../config/servers.ts';
import { createDataConverter } from './data-converter.ts';

/** The options of a connection, for `Connection` and `NativeConnection` alike. */
export function temporalConnectionOptions({ address, tls = null }: Pick<TemporalSettings, 'address' | 'tls'>): {
  address: string;
  tls?: TLSConfig;
} {
  if (tls === null) return { address };
  const { certificateAuthority, identity, serverName } = tls;
  return {
    address,
    tls: {
      ...(certificateAuthority && { serverRootCACertificate: certificateAuthority }),
      ...(identity && { clientCertPair: { crt: identity.certificate, key: identity.key } }),
      ...(serverName !== null && { serverNameOverride: serverName }),
    },
  };
}

/** A client on a connection that is there already, in the configured namespace and with the configured payload codec. */
export function createTemporalClient(
  connection: NonNullable<ClientOptions['connection']>,
  settings: TemporalSettings,
): Client {
  return new Client({
    connection,
    namespace: settings.namespace,
    dataConverter: createDataConverter(settings.codec),
  });
}

/** A client whose connection is made with its first call; close it by `client.connection.close()`. */
export function openTemporalClient(settings: TemporalSettings): Client {
  return createTemporalClient(Connection.lazy(temporalConnectionOptions(settings)), settings);
}

/**
 * For the start of a command, which cannot wait: throws a {@link ServerUnreachableError} when Temporal does not answer
 * within 10 s, or does not know the namespace.
 */
export async function requireTemporal({ connection }: Client, settings: TemporalSettings): Promise<void> {
  const { address, namespace } = settings;
  const fail = (error: unknown, advice?: string) => {
    throw new ServerUnreachableError('Temporal', address, temporalReason(error) ?? error, advice);
  };
  await connection.ensureConnected().catch((error: unknown) => fail(error));
  await connection.workflowService
    .describeNamespace({ namespace })
    .catch((error: unknown) => fail(error, 'Make the namespace, or correct TEMPORAL_NAMESPACE.'));
}

/** What Temporal itself said when it rejected a call; null for an error that is not from Temporal. */
export function temporalReason(error: unknown): string | null {
  const cause = error instanceof ServiceError ? error.cause : error;
  return isGrpcServiceError(cause) ? cause.details : null;
}
