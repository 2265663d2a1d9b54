import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../../environment/ports.ts';
import type { RunningProcess } from '../../../environment/processes.ts';
import { untilReady } from '../../../environment/ready.ts';
import { makePeerDatabase } from '../common/tables.ts';
import { httpPeer } from '../http-peer.ts';
import type { Peer } from '../peer.ts';
import { type SharedServers, untilHealthy } from '../servers.ts';
import { ServiceProcess } from '../service-process.ts';

/** Restate's own default. */
const DEFAULT_PARTITIONS = 24;
/** Twice the cores of a small machine: far more operations a second there. */
const FEW_PARTITIONS = 4;
const READY_WITHIN_MS = 30_000;

/** Starts Restate's server with its defaults, and the service on it. */
export function startRestatePeer(shared: SharedServers, laneCount: number): Promise<Peer> {
  return start(shared, laneCount, { key: 'restate', name: 'Restate', partitions: DEFAULT_PARTITIONS });
}

/** The same with fewer partitions. */
export function startSmallRestatePeer(shared: SharedServers, laneCount: number): Promise<Peer> {
  const partitions = FEW_PARTITIONS;
  return start(shared, laneCount, {
    key: `restate_${partitions}`,
    name: `Restate, ${partitions} partitions`,
    partitions,
  });
}

interface Variant {
  /** Tells its processes, its database and its topic from those of the other. */
  key: string;
  name: string;
  partitions: number;
}

async function start(shared: SharedServers, laneCount: number, variant: Variant): Promise<Peer> {
  const { key, name } = variant;
  const topic = `peer.${key}`;
  const server = await startRestateServer(shared, variant);
  const database = await makePeerDatabase(shared.environment.servers.mysqlUrl, key, shared.hostUrls);
  const service = await ServiceProcess.start(shared, {
    name: `${key}-service`,
    script: 'dev/bench/peers/restate/service.ts',
    topic,
    mysqlUrl: database.url,
    server: server.ingressUrl,
    untilReady: untilListening,
  });
  await register(server.adminUrl, service.port);
  return httpPeer(shared, {
    name,
    topic,
    service,
    database,
    laneCount,
    servers: new Map([['restate-server', server.process.pid]]),
    url: server.ingressUrl,
    paths: { accept: '/operations/request', start: '/operations/request/send' },
    keyHeader: 'idempotency-key',
  });
}

/** One node with the defaults, by which its log is synchronised to the disk before anything is acknowledged. */
async function startRestateServer(
  shared: SharedServers,
  { key, partitions }: Variant,
): Promise<{ process: RunningProcess; ingressUrl: string; adminUrl: string }> {
  const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
  const process = await shared.environment.supervisor.start({
    name: `${key}-server`,
    role: 'server',
    command: restateCommand(),
    arguments: ['--node-name', 'bench', '--base-dir', join(shared.environment.dataFolder, key), '--no-logo'],
    environment: {
      ...globalThis.process.env,
      RESTATE_DEFAULT_NUM_PARTITIONS: String(partitions),
      RESTATE_LISTEN_MODE: 'tcp',
      RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
      RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_LOG_FILTER: 'warn',
    },
  });
  await untilHealthy(process, `http://127.0.0.1:${admin}/health`);
  await untilHealthy(process, `http://127.0.0.1:${ingress}/restate/health`);
  return { process, ingressUrl: `http://127.0.0.1:${ingress}`, adminUrl: `http://127.0.0.1:${admin}` };
}

/** The server itself, and not the wrapper that starts it as a child. */
function restateCommand(): string {
  const { platform, arch } = globalThis.process;
  return createRequire(import.meta.url).resolve(`@restatedev/restate-server-${platform}-${arch}/bin/restate-server`);
}

/** Tells Restate where the service is. */
async function register(adminUrl: string, port: number): Promise<void> {
  const response = await fetch(`${adminUrl}/deployments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ uri: `http://127.0.0.1:${port}` }),
    signal: AbortSignal.timeout(READY_WITHIN_MS),
  });
  if (response.status !== 201) throw new Error(`Restate does not take the service: ${await response.text()}`);
  await response.body?.cancel();
}

/** The service speaks HTTP/2 alone, so it is ready when it takes connections. */
function untilListening(process: RunningProcess, port: number): Promise<void> {
  return untilReady(
    process,
    READY_WITHIN_MS,
    () =>
      new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1' }, () => {
          socket.destroy();
          resolve();
        });
        socket.once('error', reject);
      }),
  );
}
