import { join } from 'node:path';
import { script } from '../../environment/application.ts';
import { STACK_FOLDER } from '../../environment/paths.ts';
import { freePort } from '../../environment/ports.ts';
import type { ProcessSupervisor, RunningProcess } from '../../environment/processes.ts';
import { untilReady } from '../../environment/ready.ts';
import type { Servers } from '../../environment/servers/index.ts';
import { startOnServers } from '../servers.ts';
import { HOST_DELAYS_MS, type HostDelayMs } from './peer.ts';

const LOGS = 'bench-peers';
/** Keeps the logs of the processes. */
export const LOG_FOLDER = join(STACK_FOLDER, LOGS);
const READY_WITHIN_MS = 30_000;

/** What every peer is started on. */
export interface SharedServers {
  readonly supervisor: ProcessSupervisor;
  readonly servers: Servers;
  /** A folder that is removed at the end. */
  readonly dataFolder: string;
  /** The process of the peers' hosts. */
  readonly hosts: RunningProcess;
  /** One host for each lane: `laneCount` that answer at once, then as many that answer after 100 ms. */
  readonly hostUrls: readonly string[];
  /** Process id of a server that all use. */
  pid(server: 'mysql' | 'kafka' | 'temporal'): number;
  stop(): Promise<void>;
}

/** Starts MySQL, Kafka, Temporal and the hosts of the peers. */
export function startSharedServers(laneCount: number): Promise<SharedServers> {
  return startOnServers(LOGS, async ({ supervisor, servers, dataFolder, close }) => {
    const port = await freePort();
    const hosts = await supervisor.start({
      ...script('dev/bench/peers/common/host.ts', String(port)),
      name: 'peer-hosts',
      role: 'application',
    });
    await untilHealthy(hosts, `http://127.0.0.1:${port}/health`);
    const urlOf = (delayMs: HostDelayMs) => `http://127.0.0.1:${port}/after/${delayMs}`;
    return {
      supervisor,
      servers,
      dataFolder,
      hosts,
      hostUrls: HOST_DELAYS_MS.flatMap((delayMs) => Array.from({ length: laneCount }, () => urlOf(delayMs))),
      pid(server) {
        const found = servers.processes.find(({ name }) => name === server);
        if (!found) throw new Error(`${server} was not started here`);
        return found.pid;
      },
      stop: close,
    };
  });
}

/** Waits until a process answers 200. */
export function untilHealthy(process: RunningProcess, url: string): Promise<void> {
  return untilReady(process, READY_WITHIN_MS, async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
  });
}
