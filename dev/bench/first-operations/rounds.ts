import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiClient, dataOf, openApiClient } from '../../../platform/api-client/client.ts';
import type { components } from '../../../platform/api-client/generated/customer-api.ts';
import { type Application, startApplication, startHost } from '../../environment/application.ts';
import { type DemoData, makeDemoData } from '../../environment/demo-data.ts';
import { ProcessSupervisor, type RunningProcess } from '../../environment/processes.ts';
import { type Servers, startServers } from '../../environment/servers/index.ts';

const POLL_MS = 2;
const TIMEOUT_MS = 60_000;
/** Long enough for the agents to be waiting for their commands, which are in production long before and after a deploy. */
const AGENTS_MS = 3_000;
const ASSIGNS = 5;
/** How often the API is asked while it says that it is not available. */
const ATTEMPTS = 5;

/** How the rounds are run. */
export interface Where {
  dataFolder: string;
  logFolder: string;
  adminToken: string;
  embeddedWorker: boolean;
  keepServers: boolean;
}

/** What was made before the first round. */
export interface Installation {
  /** Addresses with the droplet that each is assigned to. */
  readonly lanes: readonly { readonly ip: string; readonly dropletId: number }[];
  readonly data: DemoData;
  /** The servers, where they are kept between the rounds. */
  readonly servers: { readonly supervisor: ProcessSupervisor; readonly servers: Servers } | undefined;
  close(): Promise<void>;
}

/** One start, and the assigns after it. */
export interface Round {
  /** From the start of the processes until the API said that it was ready. */
  readonly readyMs: number;
  /** From each request until its action was completed; the first is the first operation of the start. */
  readonly assignMs: readonly number[];
}

/** Starts everything, makes addresses and droplets, and stops it again. */
export async function prepareInstallation(where: Where): Promise<Installation> {
  const running = await startRunning(where, 'prepare', undefined);
  const { apiUrl, internalUrl, hostApiUrl } = running.application;
  const { adminToken } = where;
  const data = await makeDemoData({ apiUrl, internalUrl, hostApiUrl, adminToken, earlier: {}, report: () => {} });
  const customer = customerOf(running, data);
  const agents = await startAgents(running, data);
  const { droplets } = await dataOf(customer.GET('/v2/droplets', { params: { query: { per_page: 200 } } }));
  const lanes = [];
  for (const { id, region } of droplets.slice(0, ASSIGNS)) {
    const body = { region: region.slug };
    const { ip } = (await dataOf(customer.POST('/v2/reserved_ips', { body }))).reserved_ip;
    await until(async () => {
      const { actions } = await dataOf(customer.GET('/v2/reserved_ips/{ip}/actions', { params: { path: { ip } } }));
      return actions.every(({ status }) => status === 'completed');
    });
    lanes.push({ ip, dropletId: id });
  }
  await stopAll([...agents, ...running.application.processes]);
  if (!where.keepServers) await running.supervisor.stop();
  const servers = where.keepServers ? { supervisor: running.supervisor, servers: running.servers } : undefined;
  return { lanes, data, servers, close: async () => servers?.supervisor.stop() };
}

/** Starts everything anew, assigns each address once, and takes all back. */
export async function runRound(where: Where, installation: Installation): Promise<Round> {
  const running = await startRunning(where, 'round', installation.servers);
  const customer = customerOf(running, installation.data);
  const agents = await startAgents(running, installation.data);
  const act = async (ip: string, body: components['schemas']['ReservedIpAction']) => {
    const begin = performance.now();
    const acting = customer.POST('/v2/reserved_ips/{ip}/actions', { params: { path: { ip } }, body });
    const path = { ip, action_id: (await dataOf(acting)).action.id };
    await until(async () => {
      const looking = customer.GET('/v2/reserved_ips/{ip}/actions/{action_id}', { params: { path } });
      return (await dataOf(looking)).action.status === 'completed';
    });
    return Math.round(performance.now() - begin);
  };
  const assignMs: number[] = [];
  for (const { ip, dropletId } of installation.lanes) {
    assignMs.push(await act(ip, { type: 'assign', droplet_id: dropletId }));
  }
  for (const { ip } of installation.lanes) await act(ip, { type: 'unassign' });
  await stopAll([...agents, ...running.application.processes]);
  if (!where.keepServers) await running.supervisor.stop();
  return { readyMs: running.readyMs, assignMs };
}

function customerOf({ application }: Running, { apiToken }: DemoData): ApiClient {
  return openApiClient({ baseUrl: application.apiUrl, token: apiToken, attempts: ATTEMPTS });
}

interface Running {
  supervisor: ProcessSupervisor;
  servers: Servers;
  application: Application;
  adminToken: string;
  readyMs: number;
}

async function startRunning(where: Where, name: string, kept: Installation['servers']): Promise<Running> {
  const { adminToken, dataFolder, embeddedWorker } = where;
  const supervisor = kept?.supervisor ?? new ProcessSupervisor({ folder: where.logFolder });
  try {
    const servers =
      kept?.servers ??
      (await startServers({ supervisor, dataFolder, environment: process.env, report: () => {}, ports: 'free' }));
    const begin = performance.now();
    const application = await startApplication({
      ...{ supervisor, servers, adminToken, embeddedWorker, workerCount: 1, environment: process.env },
      apiPort: servers.ports.api,
    });
    return { supervisor, servers, application, adminToken, readyMs: Math.round(performance.now() - begin) };
  } catch (error) {
    await supervisor.stop();
    throw new Error(`${name}: not started`, { cause: error });
  }
}

async function startAgents(running: Running, data: DemoData): Promise<RunningProcess[]> {
  const { supervisor, servers, adminToken, application } = running;
  const settings = { supervisor, servers, adminToken, environment: process.env };
  const agents = await Promise.all(
    data.hosts.map((host) => startHost(settings, { ...host, apiUrl: application.hostApiUrl })),
  );
  await sleep(AGENTS_MS);
  return agents;
}

async function stopAll(processes: readonly RunningProcess[]): Promise<void> {
  await Promise.all(processes.map((process) => process.stop()));
}

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!(await isDone())) {
    if (performance.now() > deadline) throw new Error('an operation did not end within a minute');
    await sleep(POLL_MS);
  }
}
