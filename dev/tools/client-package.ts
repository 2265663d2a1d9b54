import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { PROJECT_FOLDER } from '../environment/paths.ts';

const run = promisify(execFile);

/** The name that the SDK is installed by. */
const PACKAGE_NAME = 'reserved-ip-client';
/** Its objects go from the service into the SDK, so both must have the same copy. */
const SHARED_WITH_THE_SERVICE = new Set(['@temporalio/client', '@temporalio/common']);

const projectSchema = z.object({
  version: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
  dependencies: z.record(z.string(), z.string()),
});

/** The SDK imports a package that this project does not depend on when it runs. */
export class UndeclaredDependencyError extends Error {
  readonly packageName: string;

  constructor(packageName: string) {
    super(`the SDK imports ${packageName}, which is not among the dependencies of this project`);
    this.name = 'UndeclaredDependencyError';
    this.packageName = packageName;
  }
}

/**
 * Builds the SDK with all that it imports, as a package of its own, and packs it into a folder; answers the path of the
 * tarball. Its dependencies are what the built files import. Throws an {@link UndeclaredDependencyError}, and the error
 * of `tsc` or `npm` with what it has printed.
 */
export async function packClient(into: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-client-'));
  try {
    const project = join(PROJECT_FOLDER, 'client', 'tsconfig.build.json');
    const compiler = join(PROJECT_FOLDER, 'node_modules', '.bin', 'tsc');
    await run(compiler, ['--project', project, '--outDir', join(folder, 'dist')]);
    await copyFile(join(PROJECT_FOLDER, 'LICENSE'), join(folder, 'LICENSE'));
    await copyFile(join(PROJECT_FOLDER, 'client', 'README.md'), join(folder, 'README.md'));
    const manifest = await manifestFor(await importedPackages(join(folder, 'dist')));
    await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await run('npm', ['pack', '--pack-destination', resolve(into)], { cwd: folder });
    return join(resolve(into), `${manifest.name}-${manifest.version}.tgz`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The packages that built files import, types included, by name. */
async function importedPackages(folder: string): Promise<string[]> {
  const names = new Set<string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const [, specifier = ''] of text.matchAll(/\b(?:from|import) ?\(? ?['"]([^'"]+)['"]/g)) {
      if (!specifier.startsWith('.') && !isBuiltin(specifier)) names.add(packageOf(specifier));
    }
  }
  return [...names].sort();
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

async function manifestFor(packages: readonly string[]) {
  const project = projectSchema.parse(JSON.parse(await readFile(join(PROJECT_FOLDER, 'package.json'), 'utf8')));
  const versionsOf = (names: readonly string[]) =>
    Object.fromEntries(
      names.map((name) => {
        const version = project.dependencies[name];
        if (version === undefined) throw new UndeclaredDependencyError(name);
        return [name, `^${version}`];
      }),
    );
  const entry = (name: string) => ({ types: `./dist/client/${name}.d.ts`, default: `./dist/client/${name}.js` });
  return {
    name: PACKAGE_NAME,
    version: project.version,
    description: 'Reserved IP addresses for internal services, over Temporal',
    license: project.license,
    type: 'module',
    engines: project.engines,
    exports: { '.': entry('index'), './data-converter': entry('data-converter') },
    files: ['dist'],
    dependencies: versionsOf(packages.filter((name) => !SHARED_WITH_THE_SERVICE.has(name))),
    peerDependencies: versionsOf(packages.filter((name) => SHARED_WITH_THE_SERVICE.has(name))),
  };
}
