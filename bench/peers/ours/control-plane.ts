import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { type Application, startApplication, startHost } from '../../../stack/application.ts';
import type { RunningProcess } from '../../../stack/processes.ts';
import { BenchClient } from '../../http.ts';
import { HOST_DELAYS_MS, type HostDelayMs, type Lane } from '../peer.ts';
import type { SharedServers } from '../servers.ts';

const HOSTS_OF_A_REGION = 4;

/** The control plane with real agents, an account, and lanes in one region for each delay of the hosts. */
export interface ControlPlane {
  api: BenchClient;
  application: Application;
  agents: RunningProcess[];
  accountId: number;
  lanes: Record<HostDelayMs, Lane[]>;
}

/** Starts one API process with a worker inside, hosts whose every change takes 0 or 100 ms, and makes the lanes. */
export async function startControlPlane(shared: SharedServers, laneCount: number): Promise<ControlPlane> {
  const { supervisor, servers } = shared;
  const adminToken = randomBytes(24).toString('base64url');
  const settings = { supervisor, servers, adminToken, environment: process.env, logLevel: 'warn' };
  const application = await startApplication({
    ...settings,
    apiPort: servers.ports.api,
    workerCount: 0,
    embeddedWorker: true,
  });
  const { apiUrl } = application;
  const admin = new BenchClient(apiUrl, adminToken);
  const agents: RunningProcess[] = [];
  for (const delayMs of HOST_DELAYS_MS) {
    const hosts = await makeRegion(admin, delayMs);
    const driver = ['--delay-ms', String(delayMs)];
    const started = hosts.map((host) => startHost(settings, { ...host, apiUrl, arguments: driver }));
    agents.push(...(await Promise.all(started)));
  }
  const { accountId, token } = await makeAccount(admin);
  admin.close();
  const api = new BenchClient(apiUrl, token);
  const lanes: Record<HostDelayMs, Lane[]> = { 0: [], 100: [] };
  for (const delayMs of HOST_DELAYS_MS) {
    for (let index = 0; index < laneCount; index++) lanes[delayMs].push(await makeLane(api, delayMs, index));
  }
  return { api, application, agents, accountId, lanes };
}

function regionOf(delayMs: HostDelayMs): string {
  return `bench-${delayMs}`;
}

async function makeRegion(admin: BenchClient, delayMs: HostDelayMs): Promise<{ name: string; token: string }[]> {
  const region = regionOf(delayMs);
  const anything = z.unknown();
  await admin.send(
    { method: 'PUT', path: `/internal/v1/regions/${region}`, status: 200, schema: anything },
    { name: `Hosts that take ${delayMs} ms` },
  );
  await admin.send(
    { method: 'POST', path: '/internal/v1/pools', status: 201, schema: anything },
    { region, cidr: `198.18.${delayMs}.0/24` },
  );
  const hosts: { name: string; token: string }[] = [];
  for (let number = 1; number <= HOSTS_OF_A_REGION; number++) {
    const name = `${region}-${number}`;
    const path = `/internal/v1/hosts/${name}`;
    await admin.send({ method: 'PUT', path, status: 200, schema: anything }, { region, anchor_cidr: '10.17.0.0/16' });
    const { token } = await admin.send({
      ...{ method: 'POST', path: `${path}/tokens`, status: 201 },
      schema: z.object({ token: z.string() }),
    });
    hosts.push({ name, token });
  }
  return hosts;
}

async function makeAccount(admin: BenchClient): Promise<{ accountId: number; token: string }> {
  const { account } = await admin.send(
    {
      ...{ method: 'POST', path: '/internal/v1/accounts', status: 201 },
      schema: z.object({ account: z.object({ id: z.int() }) }),
    },
    { name: 'Bench', email: 'bench@example.com', reserved_ip_limit: 1_000, droplet_limit: 1_000 },
  );
  const { token } = await admin.send(
    {
      ...{ method: 'POST', path: `/internal/v1/accounts/${account.id}/tokens`, status: 201 },
      schema: z.object({ token: z.string() }),
    },
    { name: 'bench', requests_per_minute: 10_000_000, requests_per_hour: 100_000_000 },
  );
  return { accountId: account.id, token };
}

async function makeLane(api: BenchClient, delayMs: HostDelayMs, index: number): Promise<Lane> {
  const region = regionOf(delayMs);
  const { droplet } = await api.send(
    {
      ...{ method: 'POST', path: '/v2/droplets', status: 202 },
      schema: z.object({ droplet: z.object({ id: z.int() }) }),
    },
    { name: `lane-${delayMs}-${index}`, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' },
  );
  const { reserved_ip } = await api.send(
    {
      ...{ method: 'POST', path: '/v2/reserved_ips', status: 202 },
      schema: z.object({ reserved_ip: z.object({ ip: z.string() }) }),
    },
    { region },
  );
  return { address: reserved_ip.ip, dropletId: droplet.id, assigned: false };
}
