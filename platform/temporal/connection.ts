import { Client, type ClientOptions, Connection } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/common/lib/internal-non-workflow/index.js';
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
