import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { startApplication, startHost } from '../stack/application.ts';
import { NO_POOL_SHARES } from '../stack/no-pool-shares.ts';
import { PROJECT_FOLDER, STACK_FOLDER } from '../stack/paths.ts';
import { ProcessSupervisor } from '../stack/processes.ts';
import { startServers } from '../stack/servers/index.ts';
import { printError } from '../text/print.ts';
import { BenchClient } from './http.ts';

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

/** An account and a token of it, with limits that are counted and never reached. */
export interface Customer {
  accountId: number;
  token: string;
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
export async function startBenchStack(deployment: Deployment, laneCount: number): Promise<BenchStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-bench-'));
  const supervisor = new ProcessSupervisor({ folder: join(STACK_FOLDER, 'bench') });
  const report = (line: string) => printError(line);
  async function stop(): Promise<void> {
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  try {
    const servers = await startServers({ supervisor, dataFolder, environment: process.env, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
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
    const hosts = await registerHosts(admin, HOSTS);
    const agents = await Promise.all(hosts.map((host) => startHost(settings, { ...host, apiUrl })));
    const customer = await makeAccount(admin);
    const api = new BenchClient(apiUrl, customer.token);
    const lanes = await makeLanes(api, laneCount);
    const bareWorker = await supervisor.start({
      name: 'bare-worker',
      role: 'application',
      command: process.execPath,
      arguments: [join(PROJECT_FOLDER, 'bench/bare/worker.ts')],
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
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A host and the token its agent holds. */
export interface RegisteredHost {
  name: string;
  token: string;
}

/** Registers hosts in one region with a pool. */
export async function registerHosts(admin: BenchClient, count: number): Promise<RegisteredHost[]> {
  await admin.send(
    { method: 'PUT', path: `/internal/v1/regions/${REGION}`, status: 200, schema: z.object({}) },
    { name: 'Bench' },
  );
  await admin.send(
    { method: 'POST', path: '/internal/v1/pools', status: 201, schema: z.object({}) },
    { region: REGION, cidr: '198.18.0.0/20' },
  );
  const hosts: RegisteredHost[] = [];
  for (let number = 1; number <= count; number++) {
    const path = `/internal/v1/hosts/bench-${number}`;
    await admin.send(
      { method: 'PUT', path, status: 200, schema: z.object({}) },
      { region: REGION, anchor_cidr: '10.17.0.0/16' },
    );
    const { token } = await admin.send({
      method: 'POST',
      path: `${path}/tokens`,
      status: 201,
      schema: z.object({ token: z.string() }),
    });
    hosts.push({ name: `bench-${number}`, token });
  }
  return hosts;
}

async function makeAccount(admin: BenchClient): Promise<Customer> {
  const { account } = await admin.send(
    {
      method: 'POST',
      path: '/internal/v1/accounts',
      status: 201,
      schema: z.object({ account: z.object({ id: z.int() }) }),
    },
    { name: 'Bench', email: 'bench@example.com', reserved_ip_limit: 1_000, droplet_limit: 1_000 },
  );
  const { token } = await admin.send(
    {
      method: 'POST',
      path: `/internal/v1/accounts/${account.id}/tokens`,
      status: 201,
      schema: z.object({ token: z.string() }),
    },
    { name: 'bench', requests_per_minute: 10_000_000, requests_per_hour: 100_000_000 },
  );
  return { accountId: account.id, token };
}

async function makeLanes(api: BenchClient, count: number): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (let number = 0; number < count; number++) {
    const { droplet } = await api.send(
      {
        method: 'POST',
        path: '/v2/droplets',
        status: 202,
        schema: z.object({ droplet: z.object({ id: z.int() }) }),
      },
      { name: `lane-${number}`, region: REGION, size: 's-1vcpu-1gb', image: 'debian-12-x64' },
    );
    const { reserved_ip } = await api.send(
      {
        method: 'POST',
        path: '/v2/reserved_ips',
        status: 202,
        schema: z.object({ reserved_ip: z.object({ ip: z.string() }) }),
      },
      { region: REGION },
    );
    lanes.push({ ip: reserved_ip.ip, dropletId: droplet.id, assigned: false });
  }
  return lanes;
}
