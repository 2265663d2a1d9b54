import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NO_POOL_SHARES } from '../../dev/environment/no-pool-shares.ts';
import { freePorts } from '../../dev/environment/ports.ts';
import type { ProcessStart } from '../../dev/environment/processes.ts';
import { type Closable, type Environment, type Place, startEnvironment } from '../../dev/kit/environment.ts';
import type { Operator } from '../../dev/kit/operator.ts';
import { startGateway } from '../../dev/kit/upstreams.ts';
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
export const REGION = 'fault';
/** So many addresses that most changes find theirs idle, and so few that clients still meet on them. */
const POOLS = ['198.51.100.0/25', '2001:db8:fa17::/121'];
const RESERVED_IP_LIMIT = 28;
const DROPLETS = 70;
/** More than are made, for a droplet is replaced when its end is not known, too. */
const DROPLET_LIMIT = 1_000;
const ACCOUNTS = 2;

/** Short timeouts, so that operations end while the faults go on. */
const RULES = {
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: '3000',
  HOST_ACKNOWLEDGMENT_ATTEMPTS: '4',
  PREVIOUS_HOST_TIMEOUT_MS: '1500',
  QUARANTINE_SECONDS: '2',
};

/** A customer whose addresses several clients change at once. */
export interface FaultAccount {
  id: number;
  token: string;
  /** Those that it has at the start. */
  droplets: number[];
  /** Most addresses that it may hold, of each IP version. */
  limit: number;
}

/**
 * Two gateways, each before an API, two workers, hosts and servers, with a proxy on every connection between them that is
 * to be troubled. Before it, APIs and workers have taps of their own on the way to MySQL and Temporal.
 */
export interface FaultEnvironment extends Closable {
  processes: FaultyProcesses;
  toxiproxy: Toxiproxy;
  /** Of the APIs and the workers, by their names. */
  taps: Map<string, ProcessTaps>;
  tools: FaultTools;
  /** Base URL of each gateway, where customers ask. */
  gatewayUrls: Record<Side, string>;
  /** Base URL of each API, reached without a proxy. */
  apiUrls: Record<Side, string>;
  running: Environment;
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
}

/** Where an environment keeps its files, and who is told; it is stopped when the signal is aborted, even while it starts. */
export interface FaultEnvironmentOptions {
  folder: string;
  report(line: string): void;
  signal?: AbortSignal;
}

/** What stands between the processes and the servers, with the ports at which each connection is reached. */
interface Between {
  tools: FaultTools;
  disk: KafkaDisk | null;
  clockFile: string;
  toxiproxy: Toxiproxy;
  taps: Map<string, ProcessTaps>;
  portOf(link: string): number;
  apiPorts: Record<Side, number>;
}

/** Starts everything on free ports and empty data; logs and the record of processes go below `.dev/<folder>`. */
export function startFaultEnvironment(options: FaultEnvironmentOptions): Promise<FaultEnvironment> {
  let processes: FaultyProcesses | undefined;
  let between: Between | undefined;
  return startEnvironment(
    {
      ...options,
      ownServers: true,
      logLevel: 'warn',
      settings: { ...NO_POOL_SHARES, ...RULES },
      supervisor(supervisorOptions) {
        processes = new FaultyProcesses(supervisorOptions, (start) => (between ? adapted(start, between) : start));
        return processes;
      },
      async beforeServers(place) {
        between = await putBetween(place, options);
        return { kafkaAdvertisedPort: between.portOf('kafka') };
      },
    },
    async (environment) => {
      if (!processes || !between) throw new Error('the connections are not there');
      const { operator, servers, dataFolder, flagFile } = environment;
      const { tools, disk, clockFile, toxiproxy, taps, portOf } = between;
      await flipAll(flagFile);
      await environment.prepare();
      const ways = between;
      const [left, right] = await Promise.all(SIDES.map((side) => startSide(environment, ways, side)));
      if (!left || !right) throw new Error('a side was not started');
      const networkFiles = new Map<string, string>();
      await operator.makeRegion(REGION, ...POOLS);
      for (const [index, host] of (await operator.registerHosts(REGION, HOSTS)).entries()) {
        const files = join(dataFolder, host.name);
        await mkdir(files);
        networkFiles.set(host.name, join(files, 'network'));
        await environment.startHosts(
          [{ ...host, apiUrl: `http://127.0.0.1:${portOf(`host-${index + 1}`)}` }],
          ...['--delay-ms', '5', '--fail', '0.02', '--reconcile-seconds', '5'],
          ...['--network-file', join(files, 'network'), '--state-file', join(files, 'generations')],
        );
      }
      const accounts: FaultAccount[] = [];
      while (accounts.length < ACCOUNTS) accounts.push(await makeAccount(operator, `faults-${accounts.length + 1}`));
      return {
        ...{ running: environment, processes, toxiproxy, taps, tools, accounts, networkFiles },
        gatewayUrls: { left: left.gateway, right: right.gateway },
        apiUrls: { left: left.api, right: right.api },
        mysqlUrl: servers.mysqlUrl,
        kafkaBrokers: servers.kafkaBrokers,
        temporalAddress: servers.temporalAddress,
        kafkaDisk: disk,
        clockFile: tools.fakeTime === null ? null : clockFile,
      };
    },
  );
}

/** Opens the proxies and taps, and the disk of Kafka. */
async function putBetween(
  { supervisor, dataFolder, ports, onStopped }: Place,
  { report }: FaultEnvironmentOptions,
): Promise<Between> {
  const clockFile = join(dataFolder, 'clock');
  const tools = await fetchFaultTools({ supervisor, environment: process.env, report });
  await writeFile(clockFile, '+0');
  const disk = await KafkaDisk.mount(supervisor, join(dataFolder, 'kafka', 'logs'));
  const links = linksOf(HOSTS);
  const tapped = SIDES.flatMap((side) => [`api-${side}`, `worker-${side}`]);
  const count = links.length + 2 * tapped.length + 2;
  const [toxiproxyPort = 0, secondApiPort = 0, ...others] = await freePorts(count, Object.values(ports));
  const tapPorts = others.slice(links.length);
  const apiPorts: Record<Side, number> = { left: ports.api, right: secondApiPort };
  const portOf = (link: string) => others[links.indexOf(link)] ?? 0;
  const upstreamOf = (link: string): number => {
    if (link.startsWith('mysql')) return ports.mysql;
    if (link.startsWith('temporal')) return ports.temporal;
    if (link === 'kafka') return ports.kafka;
    return apiPorts[SIDES.find((side) => link === `gateway-${side}`) ?? sideOfHost(link)];
  };
  const toxiproxy = await startToxiproxy(supervisor, tools.toxiproxy, toxiproxyPort);
  for (const link of links) await toxiproxy.add({ name: link, port: portOf(link), upstreamPort: upstreamOf(link) });
  const taps = new Map<string, ProcessTaps>();
  for (const [index, name] of tapped.entries()) {
    const side = SIDES.find((one) => name.endsWith(one)) ?? 'left';
    const opened = await openTaps({
      mysql: { port: tapPorts[2 * index] ?? 0, upstreamPort: portOf(`mysql-${side}`) },
      temporal: { port: tapPorts[2 * index + 1] ?? 0, upstreamPort: portOf(`temporal-${side}`) },
    });
    taps.set(name, opened);
    onStopped(() => Promise.all([opened.mysql.enable(false), opened.temporal.enable(false)]));
  }
  return { tools, disk, clockFile, toxiproxy, taps, portOf, apiPorts };
}

/** An API, a worker and a gateway before the API, each with its own ways to the servers. */
async function startSide(environment: Environment, { portOf, taps, apiPorts }: Between, side: Side) {
  const { ports, mysqlUrl } = environment.servers;
  const reaching = (mysqlPort: number, temporalPort: number) =>
    environment.through({
      mysqlUrl: mysqlUrl.replace(`:${ports.mysql}/`, `:${mysqlPort}/`),
      kafkaBrokers: `127.0.0.1:${portOf('kafka')}`,
      temporalAddress: `127.0.0.1:${temporalPort}`,
    });
  const tapped = (name: string) => {
    const { mysql, temporal } = findTaps(taps, name);
    return reaching(mysql.port, temporal.port);
  };
  const [api, worker, port] = [`api-${side}`, `worker-${side}`, apiPorts[side]];
  await Promise.all([
    environment.startApi({ name: api, port, embeddedWorker: side === 'left', settings: tapped(api) }),
    environment.startWorker(worker, tapped(worker)),
  ]);
  // There is no legacy upstream; a gateway that cannot tell whose request it is asks it all the same, and says that it did not answer.
  const { url } = await startGateway(environment, {
    name: `gateway-${side}`,
    apiUrl: `http://127.0.0.1:${portOf(`gateway-${side}`)}`,
    variables: { EDGE_DEFAULT_UPSTREAM: 'new' },
    settings: reaching(portOf(`mysql-${side}`), portOf(`temporal-${side}`)),
  });
  return { api: `http://127.0.0.1:${port}`, gateway: url };
}

/** An account with droplets on all hosts. */
async function makeAccount(operator: Operator, name: string): Promise<FaultAccount> {
  const limit = RESERVED_IP_LIMIT;
  const account = await operator.makeAccount(name, { reservedIpLimit: limit, dropletLimit: DROPLET_LIMIT });
  const droplets = await account.makeDroplets(REGION, DROPLETS);
  return { id: account.id, token: account.token, droplets, limit };
}

/** Everybody goes to the new upstream, on all code paths. */
async function flipAll(flagFile: string): Promise<void> {
  const everybody = (): FlagSetting => ({ on: true, percent: 100, allow: [], deny: [] });
  await changeSettings(flagFile, { by: 'faults', codePaths: codePathsNamed('all'), change: everybody });
}

/** Each API serves the agents of half of the hosts. */
function sideOfHost(link: string): Side {
  return SIDES[Number(link.replace('host-', '')) % SIDES.length] ?? 'left';
}

/** MySQL has a clock of its own, and Kafka a disk. */
function adapted(start: ProcessStart, { tools, clockFile, disk }: Between): ProcessStart {
  if (start.name === 'mysql' && tools.fakeTime) return withFakeClock(start, tools.fakeTime, clockFile);
  return start.name.startsWith('kafka') && start.name !== 'kafka-disk' && disk ? disk.enter(start) : start;
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
