import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { changeSettings } from '../../../edge/flags/flag-file.ts';
import { OFF } from '../../../edge/flags/setting.ts';
import { type ApplicationSettings, environmentOf, script, startApplication } from '../../environment/application.ts';
import { startGateway, startLegacy } from '../../environment/cut-over.ts';
import { PROJECT_FOLDER, STACK_FOLDER } from '../../environment/paths.ts';
import { freePort } from '../../environment/ports.ts';
import { ProcessSupervisor, type RunningProcess } from '../../environment/processes.ts';
import { type Report, startServers } from '../../environment/servers/index.ts';
import type { AgentsPlan } from './agents.ts';
import type { ClientPlan } from './clients/record.ts';

import { type MadeCustomer, populate } from './population.ts';

const GATEWAYS = 2;

/** One gateway. */
export interface WalkGateway {
  url: string;
  metricsUrl: string;
  logFile: string;
}

/** Both stacks on one database, two gateways before them, hosts, and customers. */
export interface WalkStack {
  gateways: WalkGateway[];
  /** The logs of the two stacks, with a line for each request that they were sent. */
  logFiles: { legacy: string; new: string };
  flagFile: string;
  mysqlUrl: string;
  kafkaBrokers: string;
  customers: MadeCustomer[];
  /** What every host's network is kept in. */
  networkFiles: string[];
  /** What died that should not have. */
  deaths: string[];
  /** Runs `npm run <name> -- …` to its end; answers its output. Throws when it fails. */
  command(name: string, ...options: string[]): Promise<string>;
  startClients(plan: ClientPlan): Promise<RunningProcess>;
  close(): Promise<void>;
}

/** What is to be started; it is stopped when the signal is aborted, even while it starts. */
export interface WalkStackOptions {
  customers: number;
  /** Name of a folder below `.dev` for logs and the record of processes. */
  folder: string;
  report: Report;
  signal: AbortSignal;
}

/** Starts everything on free ports and empty data, with all flags off. */
export async function startWalkStack({ customers, folder, report, signal }: WalkStackOptions): Promise<WalkStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-walk-'));
  const deaths: string[] = [];
  const supervisor = new ProcessSupervisor({
    folder: join(STACK_FOLDER, folder),
    onUnexpectedExit: (failure) => void deaths.push(failure.message),
  });
  const stop = () => void supervisor.stop();
  signal.addEventListener('abort', stop);
  async function close(): Promise<void> {
    signal.removeEventListener('abort', stop);
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  }
  try {
    signal.throwIfAborted();
    const environment = ownEnvironment();
    const servers = await startServers({ supervisor, dataFolder, environment, report, ports: 'free' });
    const adminToken = randomBytes(24).toString('base64url');
    const settings: ApplicationSettings = { supervisor, servers, adminToken, environment, logLevel: 'info' };
    const { apiUrl, processes } = await startApplication({
      ...settings,
      apiPort: servers.ports.api,
      workerCount: 1,
      embeddedWorker: true,
    });
    const [api] = processes;
    if (!api) throw new Error('there is no API process');
    const ports = { port: await freePort(), servicesPort: await freePort() };
    const legacy = await startLegacy(settings, { ...ports, latencyScale: 1 });
    const flagFile = join(dataFolder, 'flags.json');
    await changeSettings(flagFile, { by: 'demo', codePaths: [...CODE_PATHS], change: () => OFF });
    const gateways = await startGateways(settings, { legacyUrl: legacy.url, apiUrl, flagFile });
    report('Both stacks and two gateways are up; all flags are off');
    const population = await populate(apiUrl, adminToken, customers);
    const networks = join(dataFolder, 'networks');
    await mkdir(networks);
    const hosts = population.hosts.map((host) => ({ ...host, networkFile: join(networks, `${host.name}.json`) }));
    await startPlanned(settings, dataFolder, 'agents', 'dev/demo/cut-over/agents.ts', { apiUrl, hosts });
    report(`${customers} customers with a region, a pool, two hosts and three droplets each`);
    return {
      gateways,
      logFiles: { legacy: legacy.monolith.logFile, new: api.logFile },
      flagFile,
      mysqlUrl: servers.mysqlUrl,
      kafkaBrokers: servers.kafkaBrokers,
      customers: population.customers,
      networkFiles: hosts.map(({ networkFile }) => networkFile),
      deaths,
      command: (name, ...options) => runCommand(settings, flagFile, name, options),
      startClients: (plan) =>
        startPlanned(settings, dataFolder, `clients-${plan.library}`, 'dev/demo/cut-over/clients/main.ts', plan),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startGateways(
  settings: ApplicationSettings,
  before: { legacyUrl: string; apiUrl: string; flagFile: string },
): Promise<WalkGateway[]> {
  const gateways: WalkGateway[] = [];
  while (gateways.length < GATEWAYS) {
    const metricsAddress = `127.0.0.1:${await freePort()}`;
    const { url, process } = await startGateway(settings, {
      ...before,
      name: `gateway-${gateways.length + 1}`,
      port: await freePort(),
      environment: { METRICS_ADDRESS: metricsAddress },
    });
    gateways.push({ url, metricsUrl: `http://${metricsAddress}/metrics`, logFile: process.logFile });
  }
  return gateways;
}

/** Starts a script that reads what it has to do from a file, because there are tokens in it. */
async function startPlanned(
  { supervisor, environment }: ApplicationSettings,
  folder: string,
  name: string,
  path: string,
  plan: AgentsPlan | ClientPlan,
): Promise<RunningProcess> {
  const file = join(folder, `${name}.json`);
  await writeFile(file, JSON.stringify(plan), { mode: 0o600 });
  return supervisor.start({
    ...script(path, file),
    name,
    role: 'application',
    environment,
    // A client waits for the change that it has begun.
    stopTimeoutMs: 40_000,
  });
}

async function runCommand(
  settings: ApplicationSettings,
  flagFile: string,
  name: string,
  options: readonly string[],
): Promise<string> {
  await settings.supervisor.run({
    name,
    role: 'tool',
    command: 'npm',
    arguments: ['run', '--silent', name, '--', ...options],
    workingFolder: PROJECT_FOLDER,
    environment: { ...environmentOf(settings), EDGE_FLAGS_FILE: flagFile, LOG_LEVEL: 'warn' },
  });
  return readFile(join(settings.supervisor.folder, 'logs', `${name}.log`), 'utf8');
}

/** Servers of its own, whatever the environment names: the whole database is checked. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { MYSQL_URL: _mysql, KAFKA_BROKERS: _kafka, TEMPORAL_ADDRESS: _temporal, ...environment } = process.env;
  return { ...environment, AUDIT_EVERY_SECONDS: '0' };
}
