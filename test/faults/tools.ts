import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../dev/environment/errors.ts';
import type { ProcessSupervisor } from '../../dev/environment/processes.ts';
import { buildIntoCache, cacheFolder, exists, withProgress } from '../../dev/environment/servers/cache.ts';
import { buildWithGo, type GoBuild } from '../../dev/environment/servers/go.ts';
import type { Report } from '../../dev/environment/servers/index.ts';
import { outputOf } from '../../dev/environment/servers/tools.ts';

const TOXIPROXY_VERSION = '2.5.0';
const TOXIPROXY_PACKAGE = 'github.com/Shopify/toxiproxy/v2/cmd/server';
const TOXIPROXY_MODULE = fileURLToPath(new URL('./toxiproxy-files/', import.meta.url));
const CHECKER_SOURCE = fileURLToPath(new URL('./linearizability/', import.meta.url));
const CHECKER_FILES = ['go.mod', 'go.sum', 'main.go', 'model.go'];
const LIBFAKETIME = join('usr', 'lib', 'x86_64-linux-gnu', 'faketime', 'libfaketimeMT.so.1');

/** Programs that the fault tests need besides the servers. */
export interface FaultTools {
  /** Command of the Toxiproxy server. */
  toxiproxy: string;
  /** Command that checks histories. */
  checker: string;
  /** The library that fakes a process's clock; null when this machine has no way to get it. */
  fakeTime: string | null;
}

/** How the tools are got. */
export interface FetchOptions {
  supervisor: ProcessSupervisor;
  environment: NodeJS.ProcessEnv;
  report: Report;
}

/**
 * Builds or downloads the tools into the cache, unless they are there.
 *
 * @throws {EnvironmentError} when Go is missing.
 */
export async function fetchFaultTools(options: FetchOptions): Promise<FaultTools> {
  const toxiproxy = await buildToxiproxy(options);
  const checker = await buildChecker(options);
  return { toxiproxy, checker, fakeTime: await downloadFakeTime(options) };
}

async function buildToxiproxy(options: FetchOptions): Promise<string> {
  const target = join(cacheFolder(options.environment), `toxiproxy-${TOXIPROXY_VERSION}`);
  await buildIntoCache(target, 'server', (draft) =>
    withProgress(options.report, 'Toxiproxy: building it with Go', `kept in ${target}`, () =>
      build(options, {
        name: 'build-toxiproxy',
        moduleFolder: TOXIPROXY_MODULE,
        package: TOXIPROXY_PACKAGE,
        output: join(draft, 'server'),
      }),
    ),
  );
  return join(target, 'server');
}

/** Kept under what its sources are, so that a change of them is never missed. */
async function buildChecker(options: FetchOptions): Promise<string> {
  const sources = await Promise.all(CHECKER_FILES.map((name) => readFile(join(CHECKER_SOURCE, name))));
  const digest = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 16);
  const target = join(cacheFolder(options.environment), `linearizability-${digest}`);
  await buildIntoCache(target, 'linearizability', (draft) =>
    withProgress(options.report, 'Porcupine: building the checker with Go', `kept in ${target}`, () =>
      build(options, {
        name: 'build-checker',
        moduleFolder: CHECKER_SOURCE,
        package: '.',
        output: join(draft, 'linearizability'),
      }),
    ),
  );
  return join(target, 'linearizability');
}

async function build(
  { supervisor, environment }: FetchOptions,
  what: Pick<GoBuild, 'name' | 'moduleFolder' | 'package' | 'output'>,
): Promise<void> {
  if ((await outputOf('go', ['version'])) === undefined) {
    throw new EnvironmentError(
      'The fault tests need Go 1.21 or later to build Toxiproxy and Porcupine: https://go.dev/dl/',
    );
  }
  await buildWithGo({ supervisor, environment, ...what });
}

/** From Debian's package, which is unpacked and not installed: that needs no root, and changes nothing here. */
async function downloadFakeTime({ supervisor, environment, report }: FetchOptions): Promise<string | null> {
  const target = join(cacheFolder(environment), 'libfaketime');
  if (await exists(join(target, LIBFAKETIME))) return join(target, LIBFAKETIME);
  const script = [
    'apt-get download libfaketime || { apt-get update -q && apt-get download libfaketime; }',
    'dpkg-deb -x libfaketime_*.deb .',
  ].join(' && ');
  const download = (draft: string) =>
    supervisor.run({
      name: 'download-libfaketime',
      role: 'tool',
      command: 'sh',
      arguments: ['-c', script],
      workingFolder: draft,
      environment,
    });
  try {
    await withProgress(report, 'libfaketime: downloading it with apt-get', `kept in ${target}`, () =>
      buildIntoCache(target, LIBFAKETIME, download),
    );
    return join(target, LIBFAKETIME);
  } catch {
    return null;
  }
}
