import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaConnectionOptions } from '../../../billing/kafka.ts';
import type { KafkaSettings } from '../../../platform/config/servers.ts';
import { parseKafkaSettings } from '../../../platform/config/servers.ts';
import type { RunningProcess } from '../processes.ts';
import { untilReady } from '../ready.ts';
import { buildIntoCache, exists, withProgress } from './cache.ts';
import { readDigests, verifyCached, verifyFolder } from './digests.ts';
import type { FetchContext, Maven, ServerContext, ServerTls } from './options.ts';
import type { ToolNeed } from './tools.ts';

/** The version that development and tests run. */
export const KAFKA_VERSION = '4.1.0';
/** Name of its folder in the cache, and of its digests. */
export const KAFKA_DOWNLOAD = `kafka-${KAFKA_VERSION}`;
const MAVEN_GOAL = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
const FILES = fileURLToPath(new URL('./kafka-files/', import.meta.url));
const PROVING_JAR = `kafka_2.13-${KAFKA_VERSION}.jar`;
const READY_TIMEOUT_MS = 90_000;
const CALL_TIMEOUT_MS = 3000;
const KEY_STORE = 'server.pem';
const TRUST_STORE = 'authority.pem';

/** A single Kafka broker that runs. */
export interface KafkaServer {
  readonly brokers: string;
  readonly process: RunningProcess;
}

/** What is needed on this machine to run Kafka. */
export async function kafkaToolNeeds(cacheFolder: string): Promise<ToolNeed[]> {
  const insteadVariable = 'KAFKA_BROKERS';
  const needs: ToolNeed[] = [{ tool: 'java', reason: 'run Kafka', insteadVariable }];
  if (await exists(join(jarFolder(cacheFolder), PROVING_JAR))) return needs;
  return [...needs, { tool: 'mvn', reason: 'download Kafka', insteadVariable }];
}

/**
 * Starts Kafka in KRaft mode on loopback, its logs in `<dataFolder>/kafka`, and waits until it answers. Topics are not
 * created by use: whoever needs one creates it.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 */
export async function startKafka(context: ServerContext): Promise<KafkaServer> {
  const jars = await fetchKafka(context);
  const folder = join(context.dataFolder, 'kafka');
  await mkdir(folder, { recursive: true });
  const propertiesFile = join(folder, 'server.properties');
  const { tls } = context;
  const { kafka: port, kafkaController: controllerPort } = context.ports;
  const advertisedPort = context.kafkaAdvertisedPort ?? port;
  if (tls) await writeStores(folder, tls);
  await writeFile(
    propertiesFile,
    serverProperties({ folder, port, advertisedPort, controllerPort, secure: tls !== undefined }),
  );
  const java = (mainClass: string, ...rest: string[]): string[] => [
    ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.awt.headless=true'],
    `-Dlog4j2.configurationFile=${join(FILES, 'log4j2.properties')}`,
    ...['-cp', join(jars, '*'), mainClass, ...rest],
  ];
  if (!(await exists(join(folder, 'logs', 'meta.properties')))) {
    await context.supervisor.run({
      name: 'kafka-format',
      role: 'tool',
      command: 'java',
      arguments: java(
        'kafka.tools.StorageTool',
        'format',
        '--ignore-formatted',
        '-t',
        clusterId(),
        '-c',
        propertiesFile,
      ),
    });
  }
  const process = await context.supervisor.start({
    name: 'kafka',
    role: 'server',
    command: 'java',
    arguments: java('kafka.Kafka', propertiesFile),
  });
  const brokers = `127.0.0.1:${port}`;
  const settings = tls
    ? parseKafkaSettings({ ...context.environment, KAFKA_BROKERS: brokers })
    : { brokers: [brokers] };
  await untilReady(process, READY_TIMEOUT_MS, () => pingKafka(settings));
  return { brokers, process };
}

/** Resolves when one of the brokers describes its cluster; rejects otherwise. */
export async function pingKafka(settings: KafkaSettings): Promise<void> {
  const admin = new Kafka({
    clientId: 'reserved-ip-dev',
    ...kafkaConnectionOptions(settings),
    logLevel: logLevel.NOTHING,
    connectionTimeout: CALL_TIMEOUT_MS,
    requestTimeout: CALL_TIMEOUT_MS,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { brokers: members } = await admin.describeCluster();
    if (members.length === 0) throw new Error('the cluster has no broker yet');
  } finally {
    await admin.disconnect();
  }
}

function jarFolder(cacheFolder: string): string {
  return join(cacheFolder, KAFKA_DOWNLOAD);
}

/**
 * Downloads Kafka unless it is in the cache; resolves with its folder.
 *
 * @throws {WrongDigestError} when a file is not the one that this repository names.
 */
export async function fetchKafka(context: FetchContext): Promise<string> {
  const target = jarFolder(context.cacheFolder);
  const digests = await readDigests(KAFKA_DOWNLOAD);
  if (await exists(join(target, PROVING_JAR))) {
    await verifyCached(target, () => verifyFolder(target, digests));
    return target;
  }
  await withProgress(context.report, 'Kafka: downloading it with Maven', `45 MB; kept in ${target}`, () =>
    buildIntoCache(target, PROVING_JAR, async (draft) => {
      await downloadKafka(context.maven, draft);
      await verifyFolder(draft, digests);
    }),
  );
  return target;
}

/** Puts Kafka's files into a folder, whatever they are. */
export async function downloadKafka(maven: Maven, folder: string): Promise<void> {
  const repository = `${folder}.maven`;
  try {
    await maven('download-kafka', repository, [
      ...['-f', join(FILES, 'pom.xml'), MAVEN_GOAL],
      ...[`-DoutputDirectory=${folder}`, '-DincludeScope=runtime'],
    ]);
  } finally {
    await rm(repository, { recursive: true, force: true });
  }
}

/** A random cluster id; a leading `-` would be taken for an option. */
function clusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}

/** Kafka wants the key and the certificate in one file. */
async function writeStores(folder: string, tls: ServerTls): Promise<void> {
  const [key, certificate, authority] = await Promise.all(
    [tls.key, tls.certificate, tls.certificateAuthority].map((path) => readFile(path, 'utf8')),
  );
  await writeFile(join(folder, KEY_STORE), `${key}${certificate}`, { mode: 0o600 });
  await writeFile(join(folder, TRUST_STORE), `${authority}`);
}

interface ServerProperties {
  readonly folder: string;
  readonly port: number;
  readonly advertisedPort: number;
  readonly controllerPort: number;
  readonly secure: boolean;
}

function serverProperties({ folder, port, advertisedPort, controllerPort, secure }: ServerProperties): string {
  const protocol = secure ? 'SSL' : 'PLAINTEXT';
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
    `listeners=BROKER://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=BROKER://127.0.0.1:${advertisedPort}`,
    'inter.broker.listener.name=BROKER',
    'controller.listener.names=CONTROLLER',
    `listener.security.protocol.map=BROKER:${protocol},CONTROLLER:PLAINTEXT`,
    ...(secure ? storeProperties(folder) : []),
    `log.dirs=${join(folder, 'logs')}`,
    'auto.create.topics.enable=false',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'share.coordinator.state.topic.num.partitions=1',
    'group.initial.rebalance.delay.ms=0',
    '',
  ].join('\n');
}

function storeProperties(folder: string): string[] {
  return [
    'ssl.keystore.type=PEM',
    `ssl.keystore.location=${join(folder, KEY_STORE)}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.location=${join(folder, TRUST_STORE)}`,
    'ssl.client.auth=required',
  ];
}
