import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { buildIntoCache, cacheFolder, withProgress } from '../../dev/environment/servers/cache.ts';
import { downloadKafka, KAFKA_DOWNLOAD } from '../../dev/environment/servers/kafka.ts';
import { makeMaven } from '../../dev/environment/servers/maven.ts';
import type { Report } from '../../dev/environment/servers/options.ts';

/** A jar of Kafka, as a path in a Maven repository. */
export const CLIENTS_JAR = 'org/apache/kafka/kafka-clients/4.1.0/kafka-clients-4.1.0.jar';

const CHECKER = fileURLToPath(new URL('../faults/linearizability/', import.meta.url));
const PORCUPINE = 'cache/download/github.com/anishathalye/porcupine/@v/v1.3.0.zip';

/** Everything that the download of Kafka asks a repository for, as Maven keeps it. */
export function mavenFiles(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), `maven-files-${KAFKA_DOWNLOAD}`);
}

/** The one module of the checker of histories, as Go keeps it. */
export function goFiles(environment: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(environment), 'go-files-porcupine-1.3.0');
}

/** How the files are got. */
export interface FetchOptions {
  supervisor: ProcessSupervisor;
  environment: NodeJS.ProcessEnv;
  report: Report;
}

/**
 * Gets the files that tests serve from repositories of their own, unless they are there.
 *
 * @throws {ProcessFailedError} when Maven or Go fails, with the end of its log.
 */
export async function fetchRepositoryFiles({ supervisor, environment, report }: FetchOptions): Promise<void> {
  const maven = makeMaven({ supervisor, environment });
  const kafka = mavenFiles(environment);
  await buildIntoCache(kafka, CLIENTS_JAR, (draft) =>
    withProgress(report, 'Kafka: downloading what a repository of a test serves', `60 MB; kept in ${kafka}`, () =>
      downloadKafka((label, _repository, words) => maven(label, draft, words), join(draft, 'copied')),
    ),
  );
  await buildIntoCache(goFiles(environment), PORCUPINE, (draft) =>
    supervisor.run({
      name: 'download-porcupine',
      role: 'tool',
      command: 'go',
      arguments: ['mod', 'download'],
      workingFolder: CHECKER,
      environment: { ...environment, GOMODCACHE: draft, GOFLAGS: '-modcacherw', GOWORK: 'off' },
    }),
  );
}
