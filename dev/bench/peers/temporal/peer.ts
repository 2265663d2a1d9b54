import { makePeerDatabase } from '../common/tables.ts';
import { httpPeer } from '../http-peer.ts';
import type { Peer } from '../peer.ts';
import type { SharedServers } from '../servers.ts';
import { ServiceProcess } from '../service-process.ts';

const TOPIC = 'peer.temporal';

/** Starts the service that is plain Temporal, on the Temporal server of the control plane. */
export async function startTemporalPeer(shared: SharedServers, laneCount: number): Promise<Peer> {
  const database = await makePeerDatabase(shared.environment.servers.mysqlUrl, 'temporal', shared.hostUrls);
  const service = await ServiceProcess.start(shared, {
    name: 'temporal-service',
    script: 'dev/bench/peers/temporal/service.ts',
    topic: TOPIC,
    mysqlUrl: database.url,
    server: shared.environment.servers.temporalAddress,
  });
  return httpPeer(shared, {
    name: 'Temporal activities',
    topic: TOPIC,
    service,
    database,
    laneCount,
    servers: new Map([['temporal', shared.environment.pidOf('temporal')]]),
  });
}
