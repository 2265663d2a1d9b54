import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import type { TemporalSettings } from '../../../platform/config/servers.ts';
import { temporalConnectionOptions } from '../../../platform/temporal/connection.ts';
import type { RunningProcess } from '../processes.ts';
import { untilReady } from '../ready.ts';
import type { ServerContext } from './options.ts';
import { fetchTemporal } from './temporal-cli.ts';
import { prepareTemporalData } from './temporal-data.ts';

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
  /** As `1.29.1`. */
  readonly version: string;
  readonly process: RunningProcess;
}

/**
 * Starts Temporal with its Web UI on loopback, its state in `<dataFolder>/temporal`, and waits until it answers.
 *
 * @throws {ProcessFailedError} when it ends, or does not answer in time.
 */
export async function startTemporal(context: ServerContext): Promise<TemporalServer> {
  const command = await fetchTemporal(context);
  const folder = join(context.dataFolder, 'temporal');
  const database = await prepareTemporalData(folder, command.serverVersion, context.report);
  const { ports } = context;
  const process = await context.supervisor.start({
    name: 'temporal',
    role: 'server',
    command: command.path,
    arguments: [
      'server',
      'start-dev',
      ...['--ip', '127.0.0.1', '--port', String(ports.temporal), '--ui-port', String(ports.temporalUi)],
      ...['--metrics-port', String(ports.temporalMetrics), '--http-port', String(ports.temporalHttp)],
      ...['--log-level', 'warn', '--db-filename', database],
      ...SQLITE_PRAGMAS.flatMap((pragma) => ['--sqlite-pragma', pragma]),
      ...DYNAMIC_CONFIGURATION.flatMap((setting) => ['--dynamic-config-value', setting]),
    ],
  });
  const address = `127.0.0.1:${ports.temporal}`;
  await untilReady(process, READY_TIMEOUT_MS, () => pingTemporal({ address }));
  return { address, uiUrl: `http://127.0.0.1:${ports.temporalUi}`, version: command.serverVersion, process };
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
