import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../../db/database.ts';
import { CODE_PATHS } from '../../../edge/code-paths.ts';
import { changeSettings } from '../../../edge/flags/flag-file.ts';
import { OFF } from '../../../edge/flags/setting.ts';
import { environmentOf } from '../../environment/application.ts';
import { PROJECT_FOLDER } from '../../environment/paths.ts';
import { freePort } from '../../environment/ports.ts';
import type { RunningProcess } from '../../environment/processes.ts';
import { type Closable, type Environment, startEnvironment } from '../../kit/environment.ts';
import { startGateway, startLegacy } from '../../kit/upstreams.ts';
import type { AgentsPlan } from './agents.ts';
import type { ClientPlan } from './clients/record.ts';
import { type MadeCustomer, populate } from './population.ts';

const GATEWAYS = 2;
/** A client waits for the change that it has begun. */
const STOP_TIMEOUT_MS = 40_000;

/** One gateway. */
export interface WalkGateway {
  url: string;
  metricsUrl: string;
  logFile: string;
}

/** Both upstreams on one database, two gateways before them, hosts, and customers. */
export interface WalkEnvironment extends Closable {
  gateways: WalkGateway[];
  /** The logs of the two upstreams, with a line for each request that they were sent. */
  logFiles: { legacy: string; new: string };
  flagFile: string;
  db: Database;
  kafkaBrokers: string;
  customers: MadeCustomer[];
  /** What every host's network is kept in. */
  networkFiles: string[];
  /** What died that should not have. */
  deaths: Environment['deaths'];
  /** Runs `npm run <name> -- …` to its end; answers its output. Throws when it fails. */
  command(name: string, ...options: string[]): Promise<string>;
  startClients(plan: ClientPlan): Promise<RunningProcess>;
}

/** What is to be started; it is stopped when the signal is aborted, even while it starts. */
export interface WalkEnvironmentOptions {
  customers: number;
  /** Name of a folder below `.dev` for logs and the record of processes. */
  folder: string;
  report(line: string): void;
  signal: AbortSignal;
}

/** Starts everything on free ports and empty data, with all flags off. */
export function startWalkEnvironment({ customers, ...options }: WalkEnvironmentOptions): Promise<WalkEnvironment> {
  // Servers of its own, because the whole database is checked in the end.
  const own = { ownServers: true, settings: { AUDIT_EVERY_SECONDS: '0' }, logLevel: 'info' };
  return startEnvironment({ ...options, ...own }, async (environment) => {
    const { servers, operator, apiUrl, flagFile, dataFolder, deaths } = environment;
    const [api] = await environment.startApplication();
    const legacy = await startLegacy(environment);
    await changeSettings(flagFile, { by: 'demo', codePaths: [...CODE_PATHS], change: () => OFF });
    const gateways = await startGateways(environment, legacy.url);
    options.report('Both upstreams and two gateways are up; all flags are off');
    const population = await populate(operator, customers);
    const networks = join(dataFolder, 'networks');
    await mkdir(networks);
    const hosts = population.hosts.map((host) => ({ ...host, networkFile: join(networks, `${host.name}.json`) }));
    await startPlanned(environment, 'agents', 'dev/demo/cut-over/agents.ts', { apiUrl, hosts });
    options.report(`${customers} customers with a region, a pool, two hosts and three droplets each`);
    return {
      gateways,
      logFiles: { legacy: legacy.monolith.logFile, new: api.logFile },
      ...{ flagFile, deaths, db: environment.openDatabase(4), kafkaBrokers: servers.kafkaBrokers },
      customers: population.customers,
      networkFiles: hosts.map(({ networkFile }) => networkFile),
      command: (name, ...words) => runCommand(environment, name, words),
      startClients: (plan) =>
        startPlanned(environment, `clients-${plan.library}`, 'dev/demo/cut-over/clients/main.ts', plan),
    };
  });
}

async function startGateways(environment: Environment, legacyUrl: string): Promise<WalkGateway[]> {
  const gateways: WalkGateway[] = [];
  while (gateways.length < GATEWAYS) {
    const metricsAddress = `127.0.0.1:${await freePort()}`;
    const name = `gateway-${gateways.length + 1}`;
    const variables = { METRICS_ADDRESS: metricsAddress };
    const { url, process } = await startGateway(environment, { name, legacyUrl, variables });
    gateways.push({ url, metricsUrl: `http://${metricsAddress}/metrics`, logFile: process.logFile });
  }
  return gateways;
}

/** Starts a script that reads what it has to do from a file, because there are tokens in it. */
async function startPlanned(environment: Environment, name: string, path: string, plan: AgentsPlan | ClientPlan) {
  const file = join(environment.dataFolder, `${name}.json`);
  await writeFile(file, JSON.stringify(plan), { mode: 0o600 });
  const stopTimeoutMs = STOP_TIMEOUT_MS;
  return environment.startScript(name, path, { scriptArguments: [file], stopTimeoutMs });
}

async function runCommand({ supervisor, settings, flagFile }: Environment, name: string, words: readonly string[]) {
  await supervisor.run({
    name,
    role: 'tool',
    command: 'npm',
    arguments: ['run', '--silent', name, '--', ...words],
    workingFolder: PROJECT_FOLDER,
    environment: { ...environmentOf(settings), EDGE_FLAGS_FILE: flagFile, LOG_LEVEL: 'warn' },
  });
  return readFile(join(supervisor.folder, 'logs', `${name}.log`), 'utf8');
}
