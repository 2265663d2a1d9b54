import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../environment/errors.ts';
import { buildWithGo } from '../../environment/servers/go.ts';
import type { FetchContext } from '../../environment/servers/options.ts';
import { outputOf } from '../../environment/servers/tools.ts';
import { builtOnce } from './built-once.ts';

/** A module of its own, whose `go.sum` pins the content of everything that is built into the programs. */
const FILES = fileURLToPath(new URL('./images/temporal-files/', import.meta.url));
/** The server that stands in for the published one, as a Go module. */
export const SERVER = { module: 'go.temporal.io/server', version: 'v1.32.1' };
/** The Web UI, likewise. */
export const WEB_UI = { module: 'github.com/temporalio/ui-server/v2', version: 'v2.54.1' };

/** The program of each file, by its package. */
const PROGRAMS = {
  'temporal-server': `${SERVER.module}/cmd/server`,
  'temporal-sql-tool': `${SERVER.module}/cmd/tools/sql`,
  'ui-server': `${WEB_UI.module}/cmd/server`,
};

/** What the published images take from the same modules: file in the module, and here. */
const FILES_OF_MODULES = [
  { ...SERVER, from: 'schema', to: 'schema' },
  { ...SERVER, from: 'docker/scripts/sh/entrypoint.sh', to: 'entrypoint.sh' },
  { ...WEB_UI, from: 'config/docker.yaml', to: 'ui-docker.yaml' },
  { ...WEB_UI, from: 'docker/start-ui-server.sh', to: 'start-ui-server.sh' },
];

/**
 * Builds the Temporal server, its schema tool and the Web UI with Go, unless they are in the cache, and takes the entry
 * points of the published images, the schema and the Web UI's configuration from the same modules. Answers the folder.
 *
 * @throws {ProcessFailedError} with the end of Go's log.
 */
export async function fetchTemporalPrograms(context: FetchContext): Promise<string> {
  const cached = {
    ...{ name: 'compose-temporal', provingFile: 'start-ui-server.sh' },
    madeFrom: [await readFile(join(FILES, 'go.sum'), 'utf8')],
    ...{ label: 'Temporal: building the server with Go', details: 'about ten minutes on two cores' },
  };
  return builtOnce(context, cached, async (draft) => {
    for (const [name, goPackage] of Object.entries(PROGRAMS)) {
      await buildWithGo({
        supervisor: context.supervisor,
        environment: context.environment,
        name: `build-${name}`,
        moduleFolder: FILES,
        package: goPackage,
        output: join(draft, name),
      });
    }
    const modules = (await outputOf('go', ['env', 'GOMODCACHE']))?.trim();
    if (modules === undefined) throw new EnvironmentError('go does not say where its modules are.');
    for (const { module, version, from, to } of FILES_OF_MODULES) {
      await cp(join(modules, `${module}@${version}`, from), join(draft, to), { recursive: true });
    }
  });
}
