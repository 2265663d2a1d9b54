import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IN_CONTACT } from '../../host/agent.ts';
import { PROJECT_FOLDER } from './paths.ts';
import type { ProcessSupervisor, RunningProcess } from './processes.ts';
import { untilReady } from './ready.ts';

const READY_TIMEOUT_MS = 60_000;
/** Longer than the worker and the API take to finish what is in flight. */
const STOP_TIMEOUT_MS = 20_000;

const CONTACT_TIMEOUT_MS = 5_000;

/** What every process of the application is started with. */
export interface ApplicationSettings {
  readonly supervisor: ProcessSupervisor;
  readonly servers: { readonly mysqlUrl: string; readonly kafkaBrokers: string; readonly temporalAddress: string };
  readonly adminToken: string;
  /** Of this process; the settings above and below take the place of what it says about them. */
  readonly environment: NodeJS.ProcessEnv;
  readonly logLevel?: string;
}

/** Options of {@link startApplication}. */
export interface ApplicationOptions extends ApplicationSettings {
  readonly apiPort: number;
  /** Ports of their own for operators and hosts; without one they are served on the API's. */
  readonly internalPort?: number;
  readonly hostApiPort?: number;
  readonly workerCount: number;
  /** Whether the API process runs a worker too. */
  readonly embeddedWorker: boolean;
  /** From {@link bundleWorkflows}, where that was begun before. */
  readonly bundling?: Promise<string>;
}

/** The API and its workers, up and answering. */
export interface Application {
  readonly apiUrl: string;
  /** Where operators are served, and where hosts are. */
  readonly internalUrl: string;
  readonly hostApiUrl: string;
  /** The prebuilt workflow code that every process here loads. */
  readonly workflowBundle: string;
  readonly processes: readonly RunningProcess[];
}

/**
 * Migrates the database and bundles the workflows, then starts the API and the workers, and waits until the API is
 * ready. Host agents need tokens that the API gives out, so {@link startHost} starts them afterwards.
 *
 * @throws {ProcessFailedError} when a process fails, with the end of its log.
 */
export async function startApplication(options: ApplicationOptions): Promise<Application> {
  const { bundling = bundleWorkflows(options) } = options;
  const [workflowBundle] = await Promise.all([bundling, migrate(options)]);
  const { apiPort, internalPort, hostApiPort, embeddedWorker } = options;
  const api = { name: 'api', port: apiPort, workflowBundle, embeddedWorker, internalPort, hostApiPort };
  const workers = Array.from({ length: options.workerCount }, (_, index) =>
    startWorker(options, { name: options.workerCount === 1 ? 'worker' : `worker-${index + 1}`, workflowBundle }),
  );
  const [{ url, process: apiProcess }, ...workerProcesses] = await Promise.all([startApi(options, api), ...workers]);
  return {
    apiUrl: url,
    internalUrl: loopbackUrl(internalPort ?? apiPort),
    hostApiUrl: loopbackUrl(hostApiPort ?? apiPort),
    workflowBundle,
    processes: [apiProcess, ...workerProcesses],
  };
}

/** Brings the servers to what this version needs: tables, search attributes, schedules. */
export async function migrate(settings: ApplicationSettings): Promise<void> {
  await settings.supervisor.run({ ...script('ops/migrate/main.ts'), ...tool('migrate', settings) });
}

/** Bundles the workflow code once for all processes, which needs no server; resolves with the file's path. */
export async function bundleWorkflows(
  settings: Pick<ApplicationSettings, 'supervisor' | 'environment'>,
): Promise<string> {
  const path = join(settings.supervisor.folder, 'build', 'workflows.js');
  await mkdir(join(settings.supervisor.folder, 'build'), { recursive: true });
  await settings.supervisor.run({
    ...script('workers/bundle.ts', '--out', path),
    ...{ name: 'bundle', role: 'tool', environment: settings.environment },
  });
  return path;
}

/** Starts one API process and waits until `/readyz` answers 200. */
export async function startApi(
  settings: ApplicationSettings,
  api: {
    readonly name: string;
    readonly port: number;
    readonly workflowBundle: string;
    readonly embeddedWorker: boolean;
    /** Address to listen on; default loopback. */
    readonly host?: string;
    /** On loopback; default that of everybody. */
    readonly internalPort?: number | undefined;
    readonly hostApiPort?: number | undefined;
  },
): Promise<{ url: string; process: RunningProcess }> {
  const process = await settings.supervisor.start({
    ...script('api/main.ts'),
    name: api.name,
    role: 'application',
    stopTimeoutMs: STOP_TIMEOUT_MS,
    environment: {
      ...environmentOf(settings),
      API_HOST: api.host ?? '127.0.0.1',
      API_PORT: String(api.port),
      INTERNAL_HOST: '',
      INTERNAL_PORT: api.internalPort?.toString() ?? '',
      HOST_API_HOST: '',
      HOST_API_PORT: api.hostApiPort?.toString() ?? '',
      ADMIN_TOKEN: settings.adminToken,
      WORKFLOW_BUNDLE: api.workflowBundle,
      EMBEDDED_WORKER: String(api.embeddedWorker),
    },
  });
  const url = loopbackUrl(api.port);
  await untilReady(process, READY_TIMEOUT_MS, async () => {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(3000) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`/readyz answers ${response.status}: ${text.slice(0, 300)}`);
  });
  return { url, process };
}

function loopbackUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

/** Starts one worker process. It is not waited for: what it will do is durable, and waits for it. */
export function startWorker(
  settings: ApplicationSettings,
  worker: { readonly name: string; readonly workflowBundle: string },
): Promise<RunningProcess> {
  return settings.supervisor.start({
    ...script('workers/main.ts'),
    name: worker.name,
    role: 'application',
    stopTimeoutMs: STOP_TIMEOUT_MS,
    environment: { ...environmentOf(settings), WORKFLOW_BUNDLE: worker.workflowBundle },
  });
}

/** Starts the agent of one host. */
export function startHost(
  settings: ApplicationSettings,
  host: {
    readonly name: string;
    readonly token: string;
    readonly apiUrl: string;
    readonly arguments?: readonly string[];
  },
): Promise<RunningProcess> {
  return settings.supervisor.start({
    ...script('host/main.ts', '--host', host.name, ...(host.arguments ?? [])),
    name: `host-${host.name}`,
    role: 'application',
    environment: {
      ...withoutSecrets(settings.environment),
      ...logging(settings),
      HOST_API_URL: host.apiUrl,
      HOST_TOKEN: host.token,
    },
  });
}

/** Waits until agents can be told something; not for long, since one that cannot be says so in its log. */
export async function untilInContact(agents: readonly RunningProcess[]): Promise<void> {
  await Promise.all(
    agents.map((agent) =>
      untilReady(agent, CONTACT_TIMEOUT_MS, async () => {
        const log = await readFile(agent.logFile, 'utf8');
        if (!log.includes(IN_CONTACT)) throw new Error('it is not in contact with the control plane');
      }).catch(() => undefined),
    ),
  );
}

/** The environment of a process that speaks to the servers. */
export function environmentOf(settings: ApplicationSettings): NodeJS.ProcessEnv {
  return {
    ...settings.environment,
    ...logging(settings),
    MYSQL_URL: settings.servers.mysqlUrl,
    KAFKA_BROKERS: settings.servers.kafkaBrokers,
    TEMPORAL_ADDRESS: settings.servers.temporalAddress,
    TEMPORAL_NAMESPACE: settings.environment.TEMPORAL_NAMESPACE ?? 'default',
  };
}

/** An agent needs no other secret than its own token, and takes a HOST_TOKEN_<NAME> from an earlier start for it. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const secret = /^((MYSQL|KAFKA|TEMPORAL)_.*|(OTHER_)?API_TOKEN|ADMIN_TOKEN|HOST_TOKEN.*)$/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !secret.test(name)));
}

function logging(settings: ApplicationSettings): { LOG_LEVEL?: string } {
  return settings.logLevel === undefined ? {} : { LOG_LEVEL: settings.logLevel };
}

function tool(name: string, settings: ApplicationSettings) {
  return { name, role: 'tool', environment: environmentOf(settings) } as const;
}

/** A script of this project as a process. */
export function script(path: string, ...scriptArguments: readonly string[]) {
  return {
    command: process.execPath,
    // kafkajs computes a negative timeout, for which Node 24 warns once in every process; nothing is wrong.
    arguments: ['--disable-warning=TimeoutNegativeWarning', join(PROJECT_FOLDER, path), ...scriptArguments],
    workingFolder: PROJECT_FOLDER,
  };
}
