import { parseKafkaSettings, parseMysqlSettings, parseTemporalSettings } from '../../../platform/config/servers.ts';
import { withoutSecrets } from '../../../platform/logging/secrets.ts';
import { EnvironmentError, messageOf } from '../errors.ts';
import { assertPortsFree, choosePorts, type PortChoice, type PortName, type Ports } from '../ports.ts';
import type { ProcessSupervisor, RunningProcess } from '../processes.ts';
import { cacheFolder } from './cache.ts';
import { databaseToolNeeds, fetchDatabase, startDatabase } from './database.ts';
import { pingMysql } from './database-access.ts';
import { fetchKafka, kafkaToolNeeds, pingKafka, startKafka } from './kafka.ts';
import { makeMaven } from './maven.ts';
import type { FetchContext, Report, ServerContext, ServerTls } from './options.ts';
import { pingTemporal, startTemporal } from './temporal.ts';
import { fetchTemporal, temporalToolNeeds } from './temporal-cli.ts';
import { assertTools } from './tools.ts';

export type { Report, ServerTls } from './options.ts';

/** What `startServers` needs to know. */
export interface ServersOptions {
  /** Starts the processes; its `stop()` stops them too. */
  readonly supervisor: ProcessSupervisor;
  /** Where the servers keep their data; made when missing. */
  readonly dataFolder: string;
  readonly ports: PortChoice;
  /**
   * Read for the names of existing servers and how to reach them, TEMPORAL_UI_URL, DATABASE_PRODUCT, the ports, and the
   * cache folder.
   */
  readonly environment: NodeJS.ProcessEnv;
  readonly report: Report;
  /** With it MySQL and Kafka speak TLS only; the environment then says by which certificates to reach them. */
  readonly tls?: ServerTls;
  /** Where clients are told to find Kafka, when that is not where it listens: behind a proxy. */
  readonly kafkaAdvertisedPort?: number;
  /** Ports of the caller, checked along with those of the servers. */
  readonly callersPorts?: readonly PortName[];
}

/** Three servers that answer. */
export interface Servers {
  readonly mysqlUrl: string;
  /** `host:port`, separated by commas. */
  readonly kafkaBrokers: string;
  /** `host:port` */
  readonly temporalAddress: string;
  readonly temporalUiUrl: string;
  readonly ports: Ports;
  /** Only those that were started here. */
  readonly processes: readonly RunningProcess[];
  /** Stops those that were started here, and no existing one. */
  stop(): Promise<void>;
}

/**
 * Starts MySQL, Kafka and Temporal at the same time, except those that the environment names, which are only checked.
 * Nothing stays running when it fails.
 *
 * @throws {EnvironmentError} with all missing tools, all taken ports, or the failure of a server and the end of its log.
 */
export async function startServers(options: ServersOptions): Promise<Servers> {
  const { environment, supervisor } = options;
  const cache = cacheFolder(environment);
  const existing = existingServers(environment);
  await assertReachable(existing, environment);
  await assertToolsFor(existing, cache, environment);
  const ports = await choosePorts(options.ports, environment);
  await assertPortsFree(ports, [...portsToOpen(existing), ...(options.callersPorts ?? [])]);

  const context: ServerContext = {
    supervisor,
    dataFolder: options.dataFolder,
    cacheFolder: cache,
    ports,
    report: options.report,
    environment,
    maven: makeMaven({ supervisor, environment }),
    ...(options.tls && { tls: options.tls }),
    ...(options.kafkaAdvertisedPort !== undefined && { kafkaAdvertisedPort: options.kafkaAdvertisedPort }),
  };
  const started: RunningProcess[] = [];
  const stop = async () => {
    await Promise.all(started.map((process) => process.stop()));
  };
  const track = async <T extends { readonly process: RunningProcess; readonly version?: string }>(
    label: string,
    starting: Promise<T>,
  ): Promise<T> => {
    const begin = performance.now();
    const server = await starting;
    started.push(server.process);
    const name = server.version === undefined ? label : `${label} ${server.version}`;
    options.report(`${name}: ready after ${((performance.now() - begin) / 1000).toFixed(1)} s`);
    return server;
  };
  const tasks = [
    existing.mysql === undefined ? track('MySQL', startDatabase(context)) : { url: existing.mysql },
    existing.kafka === undefined ? track('Kafka', startKafka(context)) : { brokers: existing.kafka },
    existing.temporal === undefined
      ? track('Temporal', startTemporal(context))
      : { address: existing.temporal, uiUrl: environment.TEMPORAL_UI_URL || '' },
  ] as const;
  try {
    const [mysql, kafka, temporal] = await Promise.all(tasks);
    return {
      mysqlUrl: mysql.url,
      kafkaBrokers: kafka.brokers,
      temporalAddress: temporal.address,
      temporalUiUrl: temporal.uiUrl,
      ports,
      processes: started,
      stop,
    };
  } catch (error) {
    // The others may be in the middle of a download or a start: only the supervisor knows what they have running.
    await supervisor.stop();
    await Promise.allSettled(tasks);
    throw error;
  }
}

/**
 * Gets onto this machine what {@link startServers} would start, and starts nothing: for a start that will be in a
 * network of its own, from where nothing can be downloaded.
 *
 * @throws {EnvironmentError} with all missing tools, or the failure of a download or build and the end of its log.
 */
export async function fetchServers({
  supervisor,
  environment,
  report,
}: Pick<ServersOptions, 'supervisor' | 'environment' | 'report'>): Promise<void> {
  const cache = cacheFolder(environment);
  const existing = existingServers(environment);
  await assertToolsFor(existing, cache, environment);
  const maven = makeMaven({ supervisor, environment });
  const context: FetchContext = { supervisor, environment, report, cacheFolder: cache, maven };
  await Promise.all([
    existing.mysql === undefined && fetchDatabase(context),
    existing.kafka === undefined && fetchKafka(context),
    existing.temporal === undefined && fetchTemporal(context),
  ]);
}

function existingServers(environment: NodeJS.ProcessEnv): Existing {
  return {
    mysql: environment.MYSQL_URL || undefined,
    kafka: environment.KAFKA_BROKERS || undefined,
    temporal: environment.TEMPORAL_ADDRESS || undefined,
  };
}

async function assertToolsFor(existing: Existing, cache: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const needs = await Promise.all([
    existing.mysql === undefined ? databaseToolNeeds(cache, environment) : [],
    existing.kafka === undefined ? kafkaToolNeeds(cache) : [],
    existing.temporal === undefined ? temporalToolNeeds(cache, environment) : [],
  ]);
  await assertTools(needs.flat());
}

function portsToOpen(existing: Existing): PortName[] {
  return [
    ...(existing.mysql === undefined ? (['mysql'] as const) : []),
    ...(existing.kafka === undefined ? (['kafka', 'kafkaController'] as const) : []),
    ...(existing.temporal === undefined
      ? (['temporal', 'temporalUi', 'temporalMetrics', 'temporalHttp'] as const)
      : []),
  ];
}

interface Existing {
  readonly mysql: string | undefined;
  readonly kafka: string | undefined;
  readonly temporal: string | undefined;
}

async function assertReachable(existing: Existing, environment: NodeJS.ProcessEnv): Promise<void> {
  const checks = [
    { variable: 'MYSQL_URL', value: existing.mysql, ping: async () => pingMysql(parseMysqlSettings(environment)) },
    { variable: 'KAFKA_BROKERS', value: existing.kafka, ping: async () => pingKafka(parseKafkaSettings(environment)) },
    {
      variable: 'TEMPORAL_ADDRESS',
      value: existing.temporal,
      ping: async () => pingTemporal(parseTemporalSettings(environment)),
    },
  ];
  const problems = await Promise.all(
    checks.map(async ({ variable, value, ping }) => {
      if (value === undefined) return [];
      return ping().then(
        () => [],
        (error: unknown) => [`  ${variable}=${withoutSecrets(value)}: ${messageOf(error)}`],
      );
    }),
  );
  if (problems.flat().length === 0) return;
  throw new EnvironmentError(
    [
      'The environment names servers that do not answer:',
      ...problems.flat(),
      'Start them, or unset the variables to have servers started here. (A shell that has sourced .dev/env has them set.)',
    ].join('\n'),
  );
}
