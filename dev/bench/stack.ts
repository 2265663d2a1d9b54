import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { startApplication, startHost } from '../environment/application.ts';
import { NO_POOL_SHARES } from '../environment/no-pool-shares.ts';
import { PROJECT_FOLDER } from '../environment/paths.ts';
import type { ProcessSupervisor } from '../environment/processes.ts';
import { BenchClient } from './http.ts';
import {
  type Customer,
  makeAccount,
  makeDroplet,
  makeRegion,
  type RegisteredHost,
  reserveAddress,
} from './installation.ts';
import { startOnServers } from './servers.ts';

/** The one region of a bench. */
export const REGION = 'bench';
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
export interface BenchStack {
  api: BenchClient;
  apiUrl: string;
  /** The account that everything belongs to, and its token. */
  customer: Customer;
  /** Of the processes; stops what else is started with it. */
  supervisor: ProcessSupervisor;
  temporal: Client;
  lanes: Lane[];
  mysqlUrl: string;
  kafkaBrokers: string[];
  /** Process ids by what they are; the hosts are one entry. */
  pids: Map<string, number[]>;
  close(): Promise<void>;
}

/** Starts real servers, the control plane, simulated hosts and the bare worker, and makes `laneCount` lanes. */
export function startBenchStack(deployment: Deployment, laneCount: number): Promise<BenchStack> {
  return startOnServers('bench', async ({ supervisor, servers, adminToken, close }) => {
    const environment = { ...process.env, ...NO_POOL_SHARES };
    const settings = { supervisor, servers, adminToken, environment, logLevel: 'warn' };
    const application = await startApplication({
      ...settings,
      apiPort: servers.ports.api,
      workerCount: deployment.workers,
      embeddedWorker: deployment.embeddedWorker,
    });
    const { apiUrl } = application;
    const admin = new BenchClient(apiUrl, adminToken);
    const hosts = await makeBenchRegion(admin, HOSTS);
    const agents = await Promise.all(hosts.map((host) => startHost(settings, { ...host, apiUrl })));
    const customer = await makeAccount(admin, 'bench');
    const api = new BenchClient(apiUrl, customer.token);
    const lanes = await makeLanes(api, laneCount);
    const bareWorker = await supervisor.start({
      name: 'bare-worker',
      role: 'application',
      command: process.execPath,
      arguments: [join(PROJECT_FOLDER, 'dev/bench/bare/worker.ts')],
      environment: { ...process.env, TEMPORAL_ADDRESS: servers.temporalAddress },
    });
    const connection = await Connection.connect({ address: servers.temporalAddress });
    const named = [...servers.processes, ...application.processes, bareWorker];
    return {
      api,
      apiUrl,
      customer,
      supervisor,
      temporal: new Client({ connection }),
      lanes,
      mysqlUrl: servers.mysqlUrl,
      kafkaBrokers: servers.kafkaBrokers.split(','),
      pids: new Map([
        ...named.map(({ name, pid }): [string, number[]] => [name, [pid]]),
        ['hosts', agents.map(({ pid }) => pid)],
      ]),
      async close() {
        admin.close();
        api.close();
        await connection.close();
        await close();
      },
    };
  });
}

/** Makes the region of a bench with a pool and hosts. */
export function makeBenchRegion(admin: BenchClient, hosts: number): Promise<RegisteredHost[]> {
  return makeRegion(admin, { region: REGION, name: 'Bench', cidr: '198.18.0.0/20', hosts });
}

async function makeLanes(api: BenchClient, count: number): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (let number = 0; number < count; number++) {
    const dropletId = await makeDroplet(api, REGION, `lane-${number}`);
    lanes.push({ ip: await reserveAddress(api, REGION), dropletId, assigned: false });
  }
  return lanes;
}
