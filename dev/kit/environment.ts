import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessFailedError } from '../environment/errors.ts';
import { DEV_FOLDER } from '../environment/paths.ts';
import { choosePorts, type Ports } from '../environment/ports.ts';
import { ProcessSupervisor, type SupervisorOptions } from '../environment/processes.ts';
import { type Report, type ServersOptions, startServers } from '../environment/servers/index.ts';
import { Environment } from './running-environment.ts';

export type { Environment } from './running-environment.ts';

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
    folder: join(DEV_FOLDER, folder),
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
    try {
      await environment?.closeOpened();
    } finally {
      await supervisor.stop();
      for (const one of stopped.reverse()) await one();
      await rm(dataFolder, { recursive: true, force: true });
    }
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
