import { join } from 'node:path';
import { printError } from '../../../platform/text/print.ts';
import { DEV_FOLDER } from '../../environment/paths.ts';
import { freePort } from '../../environment/ports.ts';
import type { RunningProcess } from '../../environment/processes.ts';
import { untilReady } from '../../environment/ready.ts';
import { type Closable, type Environment, startEnvironment } from '../../kit/environment.ts';
import { HOST_DELAYS_MS, type HostDelayMs } from './peer.ts';

const LOGS = 'bench-peers';
/** Keeps the logs of the processes. */
export const LOG_FOLDER = join(DEV_FOLDER, LOGS);
const READY_WITHIN_MS = 30_000;

/** What every peer is started on. */
export interface SharedServers extends Closable {
  readonly environment: Environment;
  /** The process of the peers' hosts. */
  readonly hosts: RunningProcess;
  /** One host for each lane: `laneCount` that answer at once, then as many that answer after 100 ms. */
  readonly hostUrls: readonly string[];
}

/** Starts MySQL, Kafka, Temporal and the hosts of the peers. */
export function startSharedServers(laneCount: number): Promise<SharedServers> {
  return startEnvironment({ folder: LOGS, logLevel: 'warn', report: printError }, async (environment) => {
    const port = await freePort();
    const scriptArguments = [String(port)];
    const hosts = await environment.startScript('peer-hosts', 'dev/bench/peers/common/host.ts', { scriptArguments });
    await untilHealthy(hosts, `http://127.0.0.1:${port}/health`);
    const urlOf = (delayMs: HostDelayMs) => `http://127.0.0.1:${port}/after/${delayMs}`;
    return {
      environment,
      hosts,
      hostUrls: HOST_DELAYS_MS.flatMap((delayMs) => Array.from({ length: laneCount }, () => urlOf(delayMs))),
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
