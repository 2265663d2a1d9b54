import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { type Database, openDatabase } from '../../db/database.ts';
import { parseKafkaSettings, parseMysqlSettings, parseTemporalSettings } from '../../platform/config/servers.ts';
import { openTemporalClient } from '../../platform/temporal/connection.ts';
import * as application from '../environment/application.ts';
import type { ProcessFailedError } from '../environment/errors.ts';
import type { ProcessSupervisor, RunningProcess } from '../environment/processes.ts';
import { pingMysql } from '../environment/servers/database-access.ts';
import type { Servers } from '../environment/servers/index.ts';
import { pingKafka } from '../environment/servers/kafka.ts';
import { pingTemporal } from '../environment/servers/temporal.ts';
import { Operator, type RegisteredHost } from './operator.ts';
import { succeeds, until } from './until.ts';

type ServerName = 'mysql' | 'kafka' | 'temporal';
type ServerAddresses = application.ApplicationSettings['servers'];

const ANSWERS_WITHIN_MS = 60_000;

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
    place: Pick<Environment, 'supervisor' | 'dataFolder'>,
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
    const { settings = this.settings, ...api } = options;
    const first = { name: 'api', port: this.servers.ports.api, embeddedWorker: true };
    const { workflowBundle } = this;
    return (await application.startApi(settings, { ...first, ...api, workflowBundle })).process;
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
    const pings = {
      mysql: () => pingMysql(parseMysqlSettings(variables)),
      kafka: () => pingKafka(parseKafkaSettings(variables)),
      temporal: () => pingTemporal(parseTemporalSettings(variables)),
    };
    await until(`${server} answers again`, () => succeeds(pings[server]()), ANSWERS_WITHIN_MS);
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
