import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../environment/errors.ts';
import type { Docker } from './docker.ts';
import type { StandInParts } from './stand-in-parts.ts';

const IMAGES = fileURLToPath(new URL('./images/', import.meta.url));
const KAFKA_LOGGING = fileURLToPath(
  new URL('../../environment/servers/kafka-files/log4j2.properties', import.meta.url),
);
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** How the stand-in of an image is built. */
interface StandIn {
  /** Folder with its Dockerfile, in `images/`. */
  readonly folder: string;
  readonly target?: string;
  /** What else its build needs: path in the folder, and here. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Builds an image under each name that is taken from a registry otherwise, so that nothing is.
 *
 * @throws {EnvironmentError} when there is no stand-in for one of them.
 * @throws {ProcessFailedError} with the end of the log of a build.
 */
export async function buildStandIns(
  docker: Docker,
  parts: StandInParts,
  { images, workFolder }: { images: ReadonlyMap<string, string>; workFolder: string },
): Promise<void> {
  for (const [name, archive] of Object.entries(parts.roots)) {
    const root = `stand-in/${name}-root`;
    // A new import would be a new image, from which everything is built anew.
    if ((await docker.output('images', '--quiet', root)) !== '') continue;
    await docker.run(`import-${name}`, 'import', archive, root);
  }
  const known = standIns(parts);
  for (const [repository, image] of images) {
    const standIn = known[repository];
    if (standIn === undefined) throw new EnvironmentError(`There is no stand-in for ${image}.`);
    const context = join(workFolder, repository);
    await cp(join(IMAGES, standIn.folder), context, { recursive: true });
    for (const [path, from] of Object.entries(standIn.files)) await cp(from, join(context, path), { recursive: true });
    const target = standIn.target === undefined ? [] : ['--target', standIn.target];
    await docker.run(`build-${repository.replace('/', '-')}`, 'build', '--tag', image, ...target, context);
  }
}

function standIns(parts: StandInParts): Record<string, StandIn> {
  const program = (name: string) => join(parts.temporalPrograms, name);
  const server = { 'temporal-server': program('temporal-server'), 'entrypoint.sh': program('entrypoint.sh') };
  const tools = { 'temporal-sql-tool': program('temporal-sql-tool'), schema: program('schema') };
  const webUi = ['ui-server', 'start-ui-server.sh', 'ui-docker.yaml'].map((name) => [name, program(name)]);
  const libraries = { libs: parts.kafkaLibraries, 'libs/kafka-tools.jar': parts.kafkaTools };
  return {
    node: {
      folder: 'node',
      files: { node: process.execPath, package: parts.npmPackage, 'ca-certificates.crt': AUTHORITIES },
    },
    mysql: { folder: 'mysql', files: {} },
    'apache/kafka': { folder: 'kafka', files: { ...libraries, 'log4j2.properties': KAFKA_LOGGING } },
    'temporalio/server': { folder: 'temporal', target: 'server', files: server },
    'temporalio/admin-tools': {
      folder: 'temporal',
      target: 'admin-tools',
      files: { ...tools, temporal: parts.temporalCommand },
    },
    'temporalio/ui': { folder: 'temporal', target: 'ui', files: Object.fromEntries(webUi) },
  };
}
