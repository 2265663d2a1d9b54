import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { type Database, openDatabase } from '../../db/database.ts';
import { parseKafkaSettings, parseMysqlSettings, parseTemporalSettings } from '../../platform/config/servers.ts';
import { openTemporalClient } from '../../platform/temporal/connection.ts';
import * as application from '../environment/application.ts';
import * as cutOver from '../environment/cut-over.ts';
import type { ProcessFailedError } from '../environment/errors.ts';
import { STACK_FOLDER } from '../environment/paths.ts';
import { choosePorts, freePort, type Ports } from '../environment/ports.ts';
import { ProcessSupervisor, type RunningProcess, type SupervisorOptions } from '../environment/processes.ts';
import { type Report, type Servers, type ServersOptions, startServers } from '../environment/servers/index.ts';
import { pingKafka } from '../environment/servers/kafka.ts';
import { pingMysql } from '../environment/servers/mysql.ts';
import { pingTemporal } from '../environment/servers/temporal.ts';
import { Operator, type RegisteredHost } from './operator.ts';
import { succeeds, until } from './until.ts';

type ServerName = 'mysql' | 'kafka' | 'temporal';
type ServerAddresses = application.ApplicationSettings['servers'];

const ANSWERS_WITHIN_MS = 60_000;

/** An environment before its servers run: where its files are, and which ports the servers will have. */
export interface Place {
  readonly supervisor: ProcessSupervisor;
  /** Removed at the end. */
  readonly dataFolder: string;
  readonly ports: Ports;
  /** Has something closed with the environment, after its processes were stopped. */
  onStopped(close: () => unknown): void;
}

/** How the servers and the settings of an environment differ. */
export interface Differences extends Partial<Pick<ServersOptions, 'tls' | 'kafkaAdvertisedPort'>> {
  readonly settings?: Readonly<Record<string, string>>;
}

/** What {@link startEnvironment} is to do. */
export interface EnvironmentOptions {
  /** Name of a folder below `.dev` for logs and the record of processes. */
  readonly folder: string;
  /** Settings of all processes by the names of their variables, in the place of those of this process. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether it has servers of its own even where this process's environment names existing ones; default false. */
  readonly ownServers?: boolean;
  /** Of the application; default its own. */
  readonly logLevel?: string;
  /** Takes the progress of the servers; default nobody. */
  readonly report?: Report;
  /** Takes what ended by itself; default nobody, see {@link Environment.deaths}. */
  readonly onDeath?: (failure: ProcessFailedError) => void;
  /** Stops everything when it is aborted, even while it starts. */
  readonly signal?: AbortSignal | undefined;
  /** Default a random one. */
  readonly adminToken?: string;
  /** Path of workflow code that is bundled already; by default it is bundled when it is first needed. */
  readonly workflowBundle?: string;
  /** Default a plain {@link ProcessSupervisor}. */
  readonly supervisor?: (options: SupervisorOptions) => ProcessSupervisor;
  /** Called before the servers are started. */
  readonly beforeServers?: (place: Place) => Promise<Differences>;
}

/** What was made in an environment, which goes when it is closed. */
export interface Closable {
  /** Stops all processes and removes the data. Safe to call again. */
  close(): Promise<void>;
}

/** Real servers on free ports and empty data, and what is started on them. */
export class Environment {
  readonly supervisor: ProcessSupervisor;
  /** Removed at the end. */
  readonly dataFolder: string;
  readonly servers: Servers;
  /** What every process of the application is started with. */
  readonly settings: application.ApplicationSettings;
  /** Processes that have ended by themselves. */
  readonly deaths: readonly ProcessFailedError[];
  readonly #closers: (() => unknown)[] = [];
  #workflowBundle: string | undefined;
  #isMigrated = false;

  constructor(
    place: Pick<Place, 'supervisor' | 'dataFolder'>,
    parts: Pick<Environment, 'servers' | 'settings' | 'deaths'> & { workflowBundle: string | undefined },
  ) {
    this.supervisor = place.supervisor;
    this.dataFolder = place.dataFolder;
    this.servers = parts.servers;
    this.settings = parts.settings;
    this.deaths = parts.deaths;
    this.#workflowBundle = parts.workflowBundle;
  }

  get adminToken(): string {
    return this.settings.adminToken;
  }

  /** Where the first API is, or will be. */
  get apiUrl(): string {
    return `http://127.0.0.1:${this.servers.ports.api}`;
  }

  /** Somebody who makes regions, hosts and accounts by the first API. */
  get operator(): Operator {
    return new Operator(this.apiUrl, this.adminToken);
  }

  /** The prebuilt workflow code; there is some after {@link prepare}. */
  get workflowBundle(): string {
    if (this.#workflowBundle === undefined) throw new Error('the workflows have not been bundled');
    return this.#workflowBundle;
  }

  /** The same settings for a process that reaches some of the servers through something else. */
  through(servers: Partial<ServerAddresses>): application.ApplicationSettings {
    return { ...this.settings, servers: { ...this.settings.servers, ...servers } };
  }

  /** Migrates the schema and bundles the workflows, unless that is done. */
  async prepare(): Promise<void> {
    const bundled = this.#workflowBundle ?? application.bundleWorkflows(this.settings);
    const [workflowBundle] = await Promise.all([bundled, this.#isMigrated || application.migrate(this.settings)]);
    this.#workflowBundle = workflowBundle;
    this.#isMigrated = true;
  }

  /** Starts one API process and workers beside it, and waits until the API is ready; the API comes first. */
  async startApplication({
    workers = 1,
    settings = this.settings,
    ...api
  }: ApiOptions & { readonly workers?: number } = {}): Promise<[RunningProcess, ...RunningProcess[]]> {
    await this.prepare();
    const names = Array.from({ length: workers }, (_, index) => (workers === 1 ? 'worker' : `worker-${index + 1}`));
    return Promise.all([this.startApi({ ...api, settings }), ...names.map((name) => this.startWorker(name, settings))]);
  }

  /** Starts one API process, by default the first one, and waits until it is ready. */
  async startApi(options: ApiOptions = {}): Promise<RunningProcess> {
    const { settings = this.settings, name = 'api', port = this.servers.ports.api, embeddedWorker = true } = options;
    const { workflowBundle } = this;
    const { host } = options;
    const api = { name, port, embeddedWorker, workflowBundle, ...(host !== undefined && { host }) };
    return (await application.startApi(settings, api)).process;
  }

  /** Starts one worker process; it is not waited for. */
  startWorker(
    name = 'worker',
    settings = this.settings,
    workflowBundle = this.workflowBundle,
  ): Promise<RunningProcess> {
    return application.startWorker(settings, { name, workflowBundle });
  }

  /** Starts the agents of hosts at the first API unless another is named, with arguments besides. */
  startHosts(
    hosts: readonly (RegisteredHost & { readonly apiUrl?: string })[],
    ...hostArguments: string[]
  ): Promise<RunningProcess[]> {
    const start = ({ name, token, apiUrl = this.apiUrl }: (typeof hosts)[number]) =>
      application.startHost(this.settings, { name, token, apiUrl, arguments: hostArguments });
    return Promise.all(hosts.map(start));
  }

  /** Starts the stand-in for a legacy monolith and its services. */
  async startLegacy(latencyScale = 1, settings = this.settings): Promise<cutOver.LegacyStack> {
    const ports = { port: await freePort(), servicesPort: await freePort() };
    return cutOver.startLegacy(settings, { ...ports, latencyScale });
  }

  /** Starts a gateway, by default on a free port before the first API and over the flags in the data folder. */
  async startGateway(
    gateway: Partial<Parameters<typeof cutOver.startGateway>[1]> = {},
    settings = this.settings,
  ): Promise<{ url: string; process: RunningProcess }> {
    return cutOver.startGateway(settings, {
      name: 'gateway',
      port: gateway.port ?? (await freePort()),
      apiUrl: this.apiUrl,
      // Nothing is sent there unless a legacy upstream is named, so nobody need listen.
      legacyUrl: 'http://127.0.0.1:9',
      flagFile: this.flagFile,
      ...gateway,
    });
  }

  /** The file of the gateways' flags. */
  get flagFile(): string {
    return join(this.dataFolder, 'flags.json');
  }

  /** Starts a script of the project as a process of the application. */
  startScript(
    name: string,
    path: string,
    { scriptArguments = [], settings = {}, stopTimeoutMs }: ScriptOptions = {},
  ): Promise<RunningProcess> {
    return this.supervisor.start({
      ...application.script(path, ...scriptArguments),
      name,
      role: 'application',
      environment: { ...this.settings.environment, ...settings },
      ...(stopTimeoutMs !== undefined && { stopTimeoutMs }),
    });
  }

  /** A pool of connections to the database, closed with the environment. */
  openDatabase(poolSize: number): Database {
    const db = openDatabase({ url: this.servers.mysqlUrl, poolSize });
    this.onClose(() => db.destroy());
    return db;
  }

  /** A client of Temporal, whose connection is closed with the environment. */
  async openTemporal(): Promise<Client> {
    const client = openTemporalClient(parseTemporalSettings(this.#variables()));
    this.onClose(() => client.connection.close());
    await client.connection.ensureConnected();
    return client;
  }

  /** Process id of a server; throws when it was not started here. */
  pidOf(server: ServerName): number {
    return this.supervisor.find(server).pid;
  }

  /** Waits until a server answers that was away. */
  async answers(server: ServerName): Promise<void> {
    const variables = this.#variables();
    const ping = {
      mysql: () => pingMysql(parseMysqlSettings(variables)),
      kafka: () => pingKafka(parseKafkaSettings(variables)),
      temporal: () => pingTemporal(parseTemporalSettings(variables)),
    }[server];
    const isThere = () => succeeds(ping());
    await until(`${server} answers again`, isThere, ANSWERS_WITHIN_MS);
  }

  /** Has something closed with the environment, before its processes are stopped. */
  onClose(close: () => unknown): void {
    this.#closers.push(close);
  }

  /** Closes what was opened here, the newest first. */
  async closeOpened(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  #variables(): NodeJS.ProcessEnv {
    return application.environmentOf(this.settings);
  }
}

/** How an API process differs from the first one of an environment; for an API of its own, name and port. */
export interface ApiOptions {
  readonly name?: string;
  readonly port?: number;
  /** Whether it runs a worker too; default true. */
  readonly embeddedWorker?: boolean;
  /** Address to listen on; default loopback. */
  readonly host?: string;
  readonly settings?: application.ApplicationSettings;
}

/** How a script is started; `settings` are variables of its environment. */
export interface ScriptOptions {
  readonly scriptArguments?: readonly string[];
  readonly settings?: NodeJS.ProcessEnv;
  readonly stopTimeoutMs?: number;
}

/**
 * Starts MySQL, Kafka and Temporal on free ports and empty data, and then what `make` starts on them. The caller closes
 * what it gets at the end; when anything fails on the way, everything is stopped and removed here.
 *
 * @throws {ProcessFailedError} when a process fails, with the end of its log.
 */
export async function startEnvironment<Made extends object>(
  options: EnvironmentOptions,
  make: (environment: Environment) => Promise<Made>,
): Promise<Made & Closable> {
  const { folder, signal, report = () => {}, onDeath, supervisor: makeSupervisor } = options;
  const deaths: ProcessFailedError[] = [];
  const supervisorOptions: SupervisorOptions = {
    folder: join(STACK_FOLDER, folder),
    onUnexpectedExit(failure) {
      deaths.push(failure);
      onDeath?.(failure);
    },
  };
  signal?.throwIfAborted();
  const dataFolder = await mkdtemp(join(tmpdir(), `reserved-ip-${folder.replaceAll('/', '-')}-`));
  const supervisor = makeSupervisor?.(supervisorOptions) ?? new ProcessSupervisor(supervisorOptions);
  let environment: Environment | undefined;
  const stopped: (() => unknown)[] = [];
  const interrupted = () => void supervisor.stop();
  signal?.addEventListener('abort', interrupted);
  const closeOnce = async () => {
    signal?.removeEventListener('abort', interrupted);
    await environment?.closeOpened();
    await supervisor.stop();
    for (const one of stopped.reverse()) await one();
    await rm(dataFolder, { recursive: true, force: true });
  };
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeOnce();
    return closing;
  };
  try {
    const ports = await choosePorts('free', process.env);
    const place = { supervisor, dataFolder, ports, onStopped: (one: () => unknown) => void stopped.push(one) };
    const { settings: more, ...differences } = (await options.beforeServers?.(place)) ?? {};
    const variables = { ...variablesOf(options), ...options.settings, ...more };
    const servers = await startServers({
      supervisor,
      dataFolder,
      ports,
      environment: variables,
      report,
      ...differences,
    });
    const { adminToken = randomBytes(24).toString('base64url'), logLevel, workflowBundle } = options;
    const settings = { supervisor, servers, adminToken, environment: variables, ...(logLevel && { logLevel }) };
    environment = new Environment(place, { servers, settings, deaths, workflowBundle });
    return { ...(await make(environment)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function variablesOf({ ownServers = false }: EnvironmentOptions): NodeJS.ProcessEnv {
  if (!ownServers) return process.env;
  const { MYSQL_URL: _mysql, KAFKA_BROKERS: _kafka, TEMPORAL_ADDRESS: _temporal, ...rest } = process.env;
  return rest;
}
