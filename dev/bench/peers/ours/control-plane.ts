import { randomBytes } from 'node:crypto';
import { type Application, startApplication, startHost } from '../../../environment/application.ts';
import type { RunningProcess } from '../../../environment/processes.ts';
import { BenchClient } from '../../http.ts';
import { makeAccount, makeDroplet, makeRegion, type RegisteredHost, reserveAddress } from '../../installation.ts';
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
    const hosts = await makeRegionOf(admin, delayMs);
    const driver = ['--delay-ms', String(delayMs)];
    const started = hosts.map((host) => startHost(settings, { ...host, apiUrl, arguments: driver }));
    agents.push(...(await Promise.all(started)));
  }
  const { accountId, token } = await makeAccount(admin, 'bench');
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

function makeRegionOf(admin: BenchClient, delayMs: HostDelayMs): Promise<RegisteredHost[]> {
  return makeRegion(admin, {
    region: regionOf(delayMs),
    name: `Hosts that take ${delayMs} ms`,
    cidr: `198.18.${delayMs}.0/24`,
    hosts: HOSTS_OF_A_REGION,
  });
}

async function makeLane(api: BenchClient, delayMs: HostDelayMs, index: number): Promise<Lane> {
  const region = regionOf(delayMs);
  const dropletId = await makeDroplet(api, region, `lane-${delayMs}-${index}`);
  return { address: await reserveAddress(api, region), dropletId, assigned: false };
}
