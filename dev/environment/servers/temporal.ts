import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import type { TemporalSettings } from '../../../platform/config/servers.ts';
import { temporalConnectionOptions } from '../../../platform/temporal/connection.ts';
import type { RunningProcess } from '../processes.ts';
import { untilReady } from '../ready.ts';
import { buildIntoCache, exists, withProgress } from './cache.ts';
import { buildWithGo } from './go.ts';
import type { FetchContext, Report, ServerContext } from './options.ts';
import { outputOf, type ToolNeed } from './tools.ts';

const VERSION = '1.5.1';
const PACKAGE = 'github.com/temporalio/cli/cmd/temporal';
/** A module of its own, whose `go.sum` pins the content of everything that is built into the command. */
const FILES = fileURLToPath(new URL('./temporal-files/', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 2000;

/**
 * Each of the first was measured: without them the development server throttles its one shard to 20 tasks a second, stalls new
 * workflows for two seconds now and then, and never runs an activity eagerly. Those of the acknowledged positions bound what a server does again that was killed: by
 * default the tasks of the last 30 s, which costs as much as running them. The last two say after seconds instead of minutes that an
 * old build of the workers has nothing left to do.
 */
const DYNAMIC_CONFIGURATION: readonly string[] = [
  'history.transferProcessorMaxPollRPS=10000',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
  'system.enableActivityEagerExecution=true',
  'history.transferProcessorUpdateAckInterval="5s"',
  'history.timerProcessorUpdateAckInterval="5s"',
  'history.visibilityProcessorUpdateAckInterval="5s"',
  'matching.wv.VersionDrainageStatusVisibilityGracePeriod="3s"',
  'matching.wv.VersionDrainageStatusRefreshInterval="2s"',
];

/** With these a database file is as fast as memory: an empty workflow takes 24 ms instead of 49. */
const SQLITE_PRAGMAS: readonly string[] = ['journal_mode=WAL', 'synchronous=NORMAL'];

/** A Temporal development server that runs. */
export interface TemporalServer {
  readonly address: string;
  readonly uiUrl: string;
  readonly process: RunningProcess;
}

/** What is needed on this machine to have the `temporal` command. */
export async function temporalToolNeeds(cacheFolder: string): Promise<ToolNeed[]> {
  if ((await findTemporal(cacheFolder, () => {})) !== undefined) return [];
  return [{ tool: 'go', reason: 'build the Temporal server', insteadVariable: 'TEMPORAL_ADDRESS' }];
}

/**
 * Starts Temporal with its Web UI on loopback, its state in `<dataFolder>/temporal`, and waits until it answers.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 */
export async function startTemporal(context: ServerContext): Promise<TemporalServer> {
  const command = await fetchTemporal(context);
  const folder = join(context.dataFolder, 'temporal');
  await mkdir(folder, { recursive: true });
  const { ports } = context;
  const process = await context.supervisor.start({
    name: 'temporal',
    role: 'server',
    command,
    arguments: [
      'server',
      'start-dev',
      ...['--ip', '127.0.0.1', '--port', String(ports.temporal), '--ui-port', String(ports.temporalUi)],
      ...['--metrics-port', String(ports.temporalMetrics), '--http-port', String(ports.temporalHttp)],
      ...['--log-level', 'warn', '--db-filename', join(folder, 'temporal.db')],
      ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...DYNAMIC_CONFIGURATION.flatMap((setting) => ['--dynamic-config-value', setting]),
    ],
  });
  const address = `127.0.0.1:${ports.temporal}`;
  await untilReady(process, READY_TIMEOUT_MS, () => pingTemporal({ address }));
  return { address, uiUrl: `http://127.0.0.1:${ports.temporalUi}`, process };
}

/** Finds the `temporal` command, or builds it into the cache; resolves with its path. */
export async function fetchTemporal(context: FetchContext): Promise<string> {
  return (await findTemporal(context.cacheFolder, context.report)) ?? buildTemporal(context);
}

/** Resolves when the server knows its namespace `default`; rejects when it cannot be reached. */
export async function pingTemporal(settings: Pick<TemporalSettings, 'address' | 'tls'>): Promise<void> {
  const connection = await Connection.connect({
    ...temporalConnectionOptions(settings),
    connectTimeout: CALL_TIMEOUT_MS,
  });
  try {
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, async () => {
      await connection.workflowService.describeNamespace({ namespace: 'default' });
    });
  } finally {
    await connection.close();
  }
}

async function findTemporal(cacheFolder: string, report: Report): Promise<string | undefined> {
  if (await isUsable('temporal', report)) return 'temporal';
  const cached = join(cacheFolder, `temporal-${VERSION}`, 'temporal');
  return (await exists(cached)) ? cached : undefined;
}

/** Whether a command is there and knows every flag that is used here. */
async function isUsable(command: string, report: Report): Promise<boolean> {
  const help = await outputOf(command, ['server', 'start-dev', '--help']);
  if (help === undefined) return false;
  const flags = ['--sqlite-pragma', '--dynamic-config-value', '--metrics-port', '--http-port', '--db-filename'];
  const unknown = flags.filter((flag) => !help.includes(flag));
  if (unknown.length > 0) report(`Temporal: the one on PATH is not used, it does not know ${unknown.join(', ')}`);
  return unknown.length === 0;
}

async function buildTemporal(context: FetchContext): Promise<string> {
  const target = join(context.cacheFolder, `temporal-${VERSION}`);
  const details = `about five minutes on two cores; kept in ${target}`;
  await withProgress(context.report, 'Temporal: building it with Go', details, () =>
    buildIntoCache(target, 'temporal', (draft) =>
      buildWithGo({
        supervisor: context.supervisor,
        environment: context.environment,
        name: 'build-temporal',
        moduleFolder: FILES,
        package: PACKAGE,
        output: join(draft, 'temporal'),
      }),
    ),
  );
  return join(target, 'temporal');
}
