import { makePeerDatabase } from '../common/tables.ts';
import { httpPeer } from '../http-peer.ts';
import type { Peer } from '../peer.ts';
import type { SharedServers } from '../servers.ts';
import { ServiceProcess } from '../service-process.ts';
import { startPostgres } from './postgres.ts';

const TOPIC = 'peer.dbos';

/** Starts PostgreSQL and the service on DBOS, which keeps its state there. */
export async function startDbosPeer(shared: SharedServers, laneCount: number): Promise<Peer> {
  const postgres = await startPostgres(shared.environment.supervisor, shared.environment.dataFolder);
  const database = await makePeerDatabase(shared.environment.servers.mysqlUrl, 'dbos', shared.hostUrls);
  const service = await ServiceProcess.start(shared, {
    name: 'dbos-service',
    script: 'dev/bench/peers/dbos/service.ts',
    topic: TOPIC,
    mysqlUrl: database.url,
    server: postgres.url,
  });
  return httpPeer(shared, {
    name: 'DBOS',
    topic: TOPIC,
    service,
    database,
    laneCount,
    servers: new Map([['postgres', postgres.process.pid]]),
  });
}
