import { join } from 'node:path';
import { verifyFile } from '../../environment/servers/digests.ts';
import { fetchKafka, KAFKA_VERSION } from '../../environment/servers/kafka.ts';
import type { FetchContext } from '../../environment/servers/options.ts';
import { fetchTemporal } from '../../environment/servers/temporal-cli.ts';
import { builtOnce } from './built-once.ts';
import { fetchDebianRoot } from './debian-root.ts';
import type { EnginePrograms } from './engine-packages.ts';
import { hostSuite } from './host-suite.ts';
import { onPath } from './on-path.ts';
import { fetchTemporalPrograms } from './temporal-programs.ts';

const NPM = {
  version: '11.19.1',
  sha256: '9f58bff01604cb1b14008fef14dceb14d836a49225e45c6c2e37de3be3e707f0',
};
const KAFKA_TOOLS = {
  artifact: `org.apache.kafka:kafka-tools:${KAFKA_VERSION}`,
  jar: `kafka-tools-${KAFKA_VERSION}.jar`,
  sha256: '1c2836cee57a947d2db461410ac5008ca80facbd19b7ed9d284ca883782ea741',
};
const MAVEN_COPY = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';

/** Everything that the stand-ins are made of, on this machine: paths of files and folders. */
export interface StandInParts {
  /** Archives of the root file systems of Debian that they are based on. */
  readonly roots: { readonly debian: string; readonly java: string; readonly mysql: string };
  readonly npmPackage: string;
  readonly kafkaLibraries: string;
  /** Kafka's commands, which a broker does not need. */
  readonly kafkaTools: string;
  /** Of the Temporal server and the Web UI, with the files of their images. */
  readonly temporalPrograms: string;
  readonly temporalCommand: string;
}

/**
 * Gets everything onto this machine, unless it is in the cache: within an image nothing is downloaded but packages of npm.
 *
 * @throws {EnvironmentError} with what cannot be had here.
 */
export async function fetchStandInParts(context: FetchContext, engine: EnginePrograms): Promise<StandInParts> {
  const suite = await hostSuite();
  const root = (name: string, ofSuite: string, ...packages: string[]) =>
    fetchDebianRoot(context, engine, { name, suite: ofSuite, packages });
  return {
    kafkaLibraries: await fetchKafka(context),
    kafkaTools: await fetchKafkaTools(context),
    npmPackage: await fetchNpm(context),
    roots: {
      debian: await root('debian', suite, 'ca-certificates', 'busybox-static', 'netcat-openbsd'),
      java: await root('java', suite, 'default-jre-headless'),
      mysql: await root('mysql', 'sid', 'mysql-server-core', 'mysql-client-core'),
    },
    temporalPrograms: await fetchTemporalPrograms(context),
    temporalCommand: await onPath((await fetchTemporal(context)).path),
  };
}

async function fetchKafkaTools(context: FetchContext): Promise<string> {
  const { artifact, jar, sha256 } = KAFKA_TOOLS;
  const cached = {
    ...{ name: 'compose-kafka-tools', provingFile: jar, madeFrom: [sha256] },
    ...{ label: "Kafka's commands: downloading them with Maven", details: '1 MB' },
  };
  const folder = await builtOnce(context, cached, async (draft) => {
    const destination = [`-Dartifact=${artifact}`, '-Dmdep.useBaseVersion=true', `-DoutputDirectory=${draft}`];
    await context.maven('download-kafka-tools', join(draft, 'repository'), [MAVEN_COPY, ...destination]);
    await verifyFile(join(draft, jar), sha256);
  });
  return join(folder, jar);
}

async function fetchNpm(context: FetchContext): Promise<string> {
  const { version, sha256 } = NPM;
  const archive = `npm-${version}.tgz`;
  const cached = {
    ...{ name: 'compose-npm', provingFile: 'package/package.json', madeFrom: [sha256] },
    ...{ label: 'npm: downloading it', details: '3 MB' },
  };
  const folder = await builtOnce(context, cached, async (draft) => {
    const run = (name: string, command: string, ...commandArguments: string[]) =>
      context.supervisor.run({
        ...{ name, role: 'tool', command, arguments: commandArguments },
        ...{ workingFolder: draft, environment: context.environment },
      });
    await run('npm-download', 'npm', 'pack', '--silent', `npm@${version}`);
    await verifyFile(join(draft, archive), sha256);
    await run('npm-unpack', 'tar', '-xzf', archive);
  });
  return join(folder, 'package');
}
