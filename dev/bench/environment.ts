import type { Client } from '@temporalio/client';
import { printError } from '../../platform/text/print.ts';
import { NO_POOL_SHARES } from '../environment/no-pool-shares.ts';
import type { Account } from '../kit/account.ts';
import { type Closable, type Environment, startEnvironment } from '../kit/environment.ts';
import { BenchClient } from './http.ts';

/** The one region of a bench, and its pool. */
export const REGION = 'bench';
export const POOL = '198.18.0.0/20';
const HOSTS = 4;

/** How the control plane is deployed for a run. */
export interface Deployment {
  /** Worker processes beside the API. */
  workers: number;
  /** Whether the API process runs a worker too. */
  embeddedWorker: boolean;
}

/** One address and one droplet that operations go back and forth on. */
export interface Lane {
  ip: string;
  dropletId: number;
  /** Whether the address is on the droplet now. */
  assigned: boolean;
}

/** Everything a run measures on. */
export interface BenchEnvironment extends Closable {
  running: Environment;
  /** The account that everything belongs to, and a caller with its token. */
  customer: Account;
  api: BenchClient;
  temporal: Client;
  lanes: Lane[];
  /** Process ids by what they are; the hosts are one entry. */
  pids: Map<string, number[]>;
}

/** Starts real servers, the control plane, simulated hosts and the bare worker, and makes `laneCount` lanes. */
export function startBenchEnvironment(
  { workers, embeddedWorker }: Deployment,
  laneCount: number,
): Promise<BenchEnvironment> {
  const options = { folder: 'bench', settings: NO_POOL_SHARES, logLevel: 'warn', report: printError };
  return startEnvironment(options, async (environment) => {
    const { servers, operator, apiUrl } = environment;
    const application = await environment.startApplication({ workers, embeddedWorker });
    await operator.makeRegion(REGION, POOL);
    const agents = await environment.startHosts(await operator.registerHosts(REGION, HOSTS));
    const customer = await operator.makeAccount('bench');
    const lanes = await makeLanes(customer, REGION, laneCount);
    const settings = { TEMPORAL_ADDRESS: servers.temporalAddress };
    const bareWorker = await environment.startScript('bare-worker', 'dev/bench/bare/worker.ts', { settings });
    const named = [...servers.processes, ...application, bareWorker];
    const api = new BenchClient(apiUrl, customer.token);
    environment.onClose(() => api.close());
    return {
      running: environment,
      customer,
      api,
      temporal: await environment.openTemporal(),
      lanes: lanes.map(({ address: ip, ...lane }) => ({ ip, ...lane })),
      pids: new Map([
        ...named.map(({ name, pid }): [string, number[]] => [name, [pid]]),
        ['hosts', agents.map(({ pid }) => pid)],
      ]),
    };
  });
}

/** Makes so many droplets in a region, and an address for each that is on none yet. */
export async function makeLanes(customer: Account, region: string, count: number) {
  const lanes: { address: string; dropletId: number; assigned: boolean }[] = [];
  for (const dropletId of await customer.makeDroplets(region, count)) {
    lanes.push({ address: await customer.reserve(region), dropletId, assigned: false });
  }
  return lanes;
}
