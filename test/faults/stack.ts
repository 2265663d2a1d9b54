import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorkflows, migrate, startApi, startHost, startWorker } from '../../dev/environment/application.ts';
import { startGateway } from '../../dev/environment/cut-over.ts';
import { NO_POOL_SHARES } from '../../dev/environment/no-pool-shares.ts';
import { STACK_FOLDER } from '../../dev/environment/paths.ts';
import { choosePorts } from '../../dev/environment/ports.ts';
import type { ProcessStart } from '../../dev/environment/processes.ts';
import { type Report, startServers } from '../../dev/environment/servers/index.ts';
import { Http } from '../../dev/kit/http.ts';
import { type FaultAccount, makeAccount, registerHosts } from '../../dev/kit/population.ts';
import { codePathsNamed } from '../../edge/code-paths.ts';
import { changeSettings } from '../../edge/flags/flag-file.ts';
import type { FlagSetting } from '../../edge/flags/setting.ts';
import { KafkaDisk } from './kafka-disk.ts';
import { linksOf, SIDES, type Side } from './plan.ts';
import { FaultyProcesses } from './processes.ts';
import { findTaps, openTaps, type ProcessTaps } from './taps/process-taps.ts';
import { type FaultTools, fetchFaultTools } from './tools.ts';
import { startToxiproxy, type Toxiproxy } from './toxiproxy.ts';

export const HOSTS = 4;
const ACCOUNTS = 2;
/** A port on which nobody listens. */
const NOWHERE = 'http://127.0.0.1:9';

/** Short timeouts, so that operations end while the faults go on. */
const RULES = {
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '3000',
  HOST_ACKNOWLEDGMENT_ATTEMPTS: '4',
  PREVIOUS_HOST_TIMEOUT_MS: '1500',
  QUARANTINE_SECONDS: '2',
};

/**
 * Two gateways, each before an API, two workers, hosts and servers, with a proxy on every connection between them that is
 * to be troubled. Before it, APIs and workers have taps of their own on the way to MySQL and Temporal.
 */
export interface FaultStack {
  processes: FaultyProcesses;
  toxiproxy: Toxiproxy;
  /** Of the APIs and the workers, by their names. */
  taps: Map<string, ProcessTaps>;
  tools: FaultTools;
  /** Base URL of each gateway, where customers ask. */
  gatewayUrls: Record<Side, string>;
  /** Base URL of each API, reached without a proxy. */
  apiUrls: Record<Side, string>;
  /** The servers, reached without a proxy. */
  mysqlUrl: string;
  kafkaBrokers: string;
  temporalAddress: string;
  accounts: FaultAccount[];
  /** The file of each host's simulated network. */
  networkFiles: Map<string, string>;
  /** Null where no disk can be mounted. */
  kafkaDisk: KafkaDisk | null;
  /** What shifts the database's clock, for instance `+3`; null where its clock cannot be faked. */
  clockFile: string | null;
  dataFolder: string;
  close(): Promise<void>;
}

/** Where a stack keeps its files, and who is told; it is stopped when the signal is aborted, even while it starts. */
export interface FaultStackOptions {
  folder: string;
  report: Report;
  signal?: AbortSignal;
}

/** Starts everything on free ports and empty data; logs and the record of processes go below `.dev/<folder>`. */
export async function startFaultStack({ folder, report, signal }: FaultStackOptions): Promise<FaultStack> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'reserved-ip-faults-'));
  const clockFile = join(dataFolder, 'clock');
  const taps = new Map<string, ProcessTaps>();
  let disk: KafkaDisk | null = null;
  let tools: FaultTools | null = null;
  const adapt = (start: ProcessStart): ProcessStart => {
    if (start.name === 'mysql' && tools?.fakeTime) return withFakeClock(start, tools.fakeTime, clockFile);
    return start.name.startsWith('kafka') && start.name !== 'kafka-disk' && disk ? disk.enter(start) : start;
  };
  const processes = new FaultyProcesses(join(STACK_FOLDER, folder), adapt);
  const interrupted = () => void processes.stop();
  signal?.addEventListener('abort', interrupted);
  const close = async () => {
    signal?.removeEventListener('abort', interrupted);
    await processes.stop();
    await Promise.all(
      [...taps.values()].flatMap(({ mysql, temporal }) => [mysql.enable(false), temporal.enable(false)]),
    );
    await rm(dataFolder, { recursive: true, force: true });
  };
  try {
    const environment = ownEnvironment();
    tools = await fetchFaultTools({ supervisor: processes, environment, report });
    await writeFile(clockFile, '+0');
    disk = await KafkaDisk.mount(processes, join(dataFolder, 'kafka', 'logs'));
    const ports = await choosePorts('free', {});
    const links = linksOf(HOSTS);
    const tapped = SIDES.flatMap((side) => [`api-${side}`, `worker-${side}`]);
    const [toxiproxyPort = 0, secondApiPort = 0, leftPort = 0, rightPort = 0, ...otherPorts] = await freePorts(
      links.length + 2 * tapped.length + 4,
      Object.values(ports),
    );
    const linkPorts = otherPorts.slice(0, links.length);
    const tapPorts = otherPorts.slice(links.length);
    const apiPorts: Record<Side, number> = { left: ports.api, right: secondApiPort };
    const gatewayPorts: Record<Side, number> = { left: leftPort, right: rightPort };
    const flagFile = join(dataFolder, 'flags.json');
    await flipAll(flagFile);
    const portOf = (link: string) => linkPorts[links.indexOf(link)] ?? 0;
    const upstreamOf = (link: string): number => {
      if (link.startsWith('mysql')) return ports.mysql;
      if (link.startsWith('temporal')) return ports.temporal;
      if (link === 'kafka') return ports.kafka;
      return apiPorts[SIDES.find((side) => link === `gateway-${side}`) ?? sideOfHost(link)];
    };
    const toxiproxy = await startToxiproxy(processes, tools.toxiproxy, toxiproxyPort);
    for (const link of links) await toxiproxy.add({ name: link, port: portOf(link), upstreamPort: upstreamOf(link) });

    for (const [index, name] of tapped.entries()) {
      const side = SIDES.find((one) => name.endsWith(one)) ?? 'left';
      taps.set(
        name,
        await openTaps({
          mysql: { port: tapPorts[2 * index] ?? 0, upstreamPort: portOf(`mysql-${side}`) },
          temporal: { port: tapPorts[2 * index + 1] ?? 0, upstreamPort: portOf(`temporal-${side}`) },
        }),
      );
    }

    const servers = await startServers({
      supervisor: processes,
      dataFolder,
      report,
      ports: 'default',
      kafkaAdvertisedPort: portOf('kafka'),
      environment: {
        ...environment,
        MYSQL_PORT: String(ports.mysql),
        KAFKA_PORT: String(ports.kafka),
        KAFKA_CONTROLLER_PORT: String(ports.kafkaController),
        TEMPORAL_PORT: String(ports.temporal),
        TEMPORAL_UI_PORT: String(ports.temporalUi),
        TEMPORAL_METRICS_PORT: String(ports.temporalMetrics),
        TEMPORAL_HTTP_PORT: String(ports.temporalHttp),
      },
    });
    const adminToken = randomBytes(24).toString('base64url');
    const settings = { supervisor: processes, servers, environment, adminToken, logLevel: 'warn' };
    const [workflowBundle] = await Promise.all([bundleWorkflows(settings), migrate(settings)]);
    const startSide = async (side: Side) => {
      const settingsBy = (mysqlPort: number, temporalPort: number) => {
        const proxied = {
          mysqlUrl: servers.mysqlUrl.replace(`:${ports.mysql}/`, `:${mysqlPort}/`),
          kafkaBrokers: `127.0.0.1:${portOf('kafka')}`,
          temporalAddress: `127.0.0.1:${temporalPort}`,
        };
        return { ...settings, servers: proxied };
      };
      const tappedSettings = (name: string) => {
        const { mysql, temporal } = findTaps(taps, name);
        return settingsBy(mysql.port, temporal.port);
      };
      const api = { name: `api-${side}`, port: apiPorts[side], workflowBundle, embeddedWorker: side === 'left' };
      const [{ url }] = await Promise.all([
        startApi(tappedSettings(`api-${side}`), api),
        startWorker(tappedSettings(`worker-${side}`), { name: `worker-${side}`, workflowBundle }),
      ]);
      const apiUrl = `http://127.0.0.1:${portOf(`gateway-${side}`)}`;
      const gateway = await startGateway(settingsBy(portOf(`mysql-${side}`), portOf(`temporal-${side}`)), {
        name: `gateway-${side}`,
        port: gatewayPorts[side],
        apiUrl,
        // There is none; a gateway that cannot tell whose request it is asks it all the same, and says that it did not answer.
        legacyUrl: NOWHERE,
        flagFile,
        environment: { EDGE_DEFAULT_UPSTREAM: 'new' },
      });
      return { api: url, gateway: gateway.url };
    };
    const [left, right] = await Promise.all([startSide('left'), startSide('right')]);
    const admin = new Http(left.api, adminToken);
    const networkFiles = new Map<string, string>();
    for (const [index, host] of (await registerHosts(admin, HOSTS)).entries()) {
      const files = join(dataFolder, host.name);
      await mkdir(files);
      networkFiles.set(host.name, join(files, 'network'));
      await startHost(settings, {
        ...host,
        apiUrl: `http://127.0.0.1:${portOf(`host-${index + 1}`)}`,
        arguments: [
          ...['--delay-ms', '5', '--fail', '0.02', '--reconcile-seconds', '5'],
          ...['--network-file', join(files, 'network'), '--state-file', join(files, 'generations')],
        ],
      });
    }
    const accounts: FaultAccount[] = [];
    while (accounts.length < ACCOUNTS) accounts.push(await makeAccount(admin, `faults-${accounts.length + 1}`));
    return {
      processes,
      toxiproxy,
      taps,
      tools,
      gatewayUrls: { left: left.gateway, right: right.gateway },
      apiUrls: { left: left.api, right: right.api },
      mysqlUrl: servers.mysqlUrl,
      kafkaBrokers: servers.kafkaBrokers,
      temporalAddress: servers.temporalAddress,
      accounts,
      networkFiles,
      kafkaDisk: disk,
      clockFile: tools.fakeTime === null ? null : clockFile,
      dataFolder,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Everybody goes to the new stack, on all code paths. */
async function flipAll(flagFile: string): Promise<void> {
  const everybody = (): FlagSetting => ({ on: true, percent: 100, allow: [], deny: [] });
  await changeSettings(flagFile, { by: 'faults', codePaths: codePathsNamed('all'), change: everybody });
}

/** Each API serves the agents of half of the hosts. */
function sideOfHost(link: string): Side {
  return SIDES[Number(link.replace('host-', '')) % SIDES.length] ?? 'left';
}

/** Servers of its own, whatever the environment names. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const { MYSQL_URL: _mysql, KAFKA_BROKERS: _kafka, TEMPORAL_ADDRESS: _temporal, ...environment } = process.env;
  return { ...environment, ...NO_POOL_SHARES, ...RULES };
}

/** The process reads its clock through a library that adds what the file says; durations are left alone. */
function withFakeClock(start: ProcessStart, library: string, clockFile: string): ProcessStart {
  return {
    ...start,
    environment: {
      ...(start.environment ?? process.env),
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clockFile,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  };
}

async function freePorts(count: number, taken: readonly number[]): Promise<number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    for (const port of Object.values(await choosePorts('free', {}))) if (!taken.includes(port)) found.add(port);
  }
  return [...found].slice(0, count);
}
