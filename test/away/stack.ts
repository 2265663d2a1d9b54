import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startApplication, startHost } from '../../dev/environment/application.ts';
import type { ProcessFailedError } from '../../dev/environment/errors.ts';
import { STACK_FOLDER } from '../../dev/environment/paths.ts';
import { freePort } from '../../dev/environment/ports.ts';
import { ProcessSupervisor, type RunningProcess, signalGroup } from '../../dev/environment/processes.ts';
import { type Report, startServers } from '../../dev/environment/servers/index.ts';
import { pingTemporal } from '../../dev/environment/servers/temporal.ts';
import { Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';
import { fetchFaultTools } from '../faults/tools.ts';
import { startToxiproxy } from '../faults/toxiproxy.ts';
import { registerHosts } from './population.ts';

/** How Temporal is taken away. */
export const MODES = ['killed', 'stopped', 'slowed'] as const;
export type Mode = (typeof MODES)[number];

const PROXY = 'temporal';
/** Of each direction, so that a call takes two seconds. In milliseconds. */
const LATENCY_MS = 1_000;
const HOSTS = 2;
const RETURN_WITHIN_MS = 60_000;

/** The processes of an installation, with a proxy before Temporal. */
export interface AwayStack {
  admin: Http;
  /** Where customers and hosts are served. */
  apiUrl: string;
  /** The servers, reached without a proxy. */
  mysqlUrl: string;
  kafkaBrokers: string;
  temporalAddress: string;
  /** Processes that ended by themselves. */
  deaths: ProcessFailedError[];
  /** Takes Temporal away from everybody, at once. */
  takeTemporal(mode: Mode): Promise<void>;
  /** Brings it back; resolves when it answers. Nothing else is started again. */
  returnTemporal(mode: Mode): Promise<void>;
  close(): Promise<void>;
}

/** Where a stack keeps its logs, and who is told; it is stopped when the signal is aborted, even while it starts. */
export interface AwayStackOptions {
  folder: string;
  report: Report;
  signal?: AbortSignal | undefined;
}

/** Starts everything on free ports and empty data, with the settings of an installation that sets none. */
export async function startAwayStack({ folder, report, signal }: AwayStackOptions): Promise<AwayStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-away-'));
  const deaths: ProcessFailedError[] = [];
  const supervisor = new ProcessSupervisor({
    folder: join(STACK_FOLDER, folder),
    onUnexpectedExit: (failure) => failure.processName !== 'temporal' && deaths.push(failure),
  });
  const interrupted = () => void supervisor.stop();
  signal?.addEventListener('abort', interrupted);
  const close = async () => {
    signal?.removeEventListener('abort', interrupted);
    await supervisor.stop();
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const { MYSQL_URL: _mysql, KAFKA_BROKERS: _kafka, TEMPORAL_ADDRESS: _temporal, ...environment } = process.env;
    const { toxiproxy: command } = await fetchFaultTools({ supervisor, environment, report });
    const servers = await startServers({ supervisor, dataFolder, environment, report, ports: 'free' });
    const { mysqlUrl, kafkaBrokers, temporalAddress } = servers;
    const proxyPort = await freePort();
    const toxiproxy = await startToxiproxy(supervisor, command, await freePort());
    await toxiproxy.add({ name: PROXY, port: proxyPort, upstreamPort: servers.ports.temporal });

    const adminToken = randomBytes(24).toString('base64url');
    const proxied = { mysqlUrl, kafkaBrokers, temporalAddress: `127.0.0.1:${proxyPort}` };
    const settings = { supervisor, servers: proxied, environment, adminToken, logLevel: 'info' };
    const { apiUrl } = await startApplication({
      ...settings,
      apiPort: servers.ports.api,
      workerCount: 1,
      embeddedWorker: true,
    });
    const admin = new Http(apiUrl, adminToken);
    for (const host of await registerHosts(admin, HOSTS)) await startHost(settings, { ...host, apiUrl });

    const temporal = new TemporalProcess(supervisor, servers.processes, temporalAddress);
    return {
      admin,
      apiUrl,
      mysqlUrl,
      kafkaBrokers,
      temporalAddress,
      deaths,
      async takeTemporal(mode) {
        if (mode === 'slowed') return toxiproxy.trouble(PROXY, 'latency', { latency: LATENCY_MS });
        if (mode === 'stopped') return temporal.signal('SIGSTOP');
        await temporal.kill();
        // Its port rejects connections, and so does the one that stands for it.
        await toxiproxy.enable(PROXY, false);
      },
      async returnTemporal(mode) {
        if (mode === 'slowed') return toxiproxy.heal(PROXY, 'latency');
        if (mode === 'stopped') temporal.signal('SIGCONT');
        else await temporal.startAgain();
        await temporal.answers();
        if (mode === 'killed') await toxiproxy.enable(PROXY, true);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The server's own process, which is started again on the same database. */
class TemporalProcess {
  readonly #supervisor: ProcessSupervisor;
  readonly #address: string;
  #process: RunningProcess;

  constructor(supervisor: ProcessSupervisor, processes: readonly RunningProcess[], address: string) {
    const process = processes.find(({ name }) => name === 'temporal');
    if (!process) throw new Error('Temporal was not started here');
    this.#supervisor = supervisor;
    this.#process = process;
    this.#address = address;
  }

  signal(signal: NodeJS.Signals): void {
    signalGroup(this.#process.pid, signal);
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#process.exited;
  }

  async startAgain(): Promise<void> {
    this.#process = await this.#supervisor.start(this.#process.start);
  }

  async answers(): Promise<void> {
    const ping = () =>
      pingTemporal({ address: this.#address }).then(
        () => true,
        () => false,
      );
    await until('Temporal answers again', ping, RETURN_WITHIN_MS);
  }
}
