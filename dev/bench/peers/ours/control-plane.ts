import type { RunningProcess } from '../../../environment/processes.ts';
import { makeLanes } from '../../environment.ts';
import { BenchClient } from '../../http.ts';
import { HOST_DELAYS_MS, type HostDelayMs, type Lane } from '../peer.ts';
import type { SharedServers } from '../servers.ts';

const HOSTS_OF_A_REGION = 4;

/** The control plane with real agents, an account, and lanes in one region for each delay of the hosts. */
export interface ControlPlane {
  api: BenchClient;
  agents: RunningProcess[];
  accountId: number;
  lanes: Record<HostDelayMs, Lane[]>;
}

/** Starts one API process with a worker inside, hosts whose every change takes 0 or 100 ms, and makes the lanes. */
export async function startControlPlane({ environment }: SharedServers, laneCount: number): Promise<ControlPlane> {
  const { operator, apiUrl } = environment;
  await environment.startApplication({ workers: 0 });
  const customer = await operator.makeAccount('bench');
  const agents: RunningProcess[] = [];
  const lanes: Record<HostDelayMs, Lane[]> = { 0: [], 100: [] };
  for (const delayMs of HOST_DELAYS_MS) {
    const region = `bench-${delayMs}`;
    await operator.makeRegion(region, `198.18.${delayMs}.0/24`);
    const hosts = await operator.registerHosts(region, HOSTS_OF_A_REGION);
    agents.push(...(await environment.startHosts(hosts, '--delay-ms', String(delayMs))));
    lanes[delayMs] = await makeLanes(customer, region, laneCount);
  }
  return { api: new BenchClient(apiUrl, customer.token), agents, accountId: customer.id, lanes };
}
