import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { runProcess } from '../../platform/config/run-process.ts';
import { parseTemporalSettings } from '../../platform/config/servers.ts';
import { ENVIRONMENT_FILE, readEnvironmentFile } from '../../platform/env-file.ts';
import { openTemporalClient, requireTemporal, temporalReason } from '../../platform/temporal/connection.ts';
import { commandLine, print } from '../../platform/text/print.ts';
import { ReadableError } from '../../platform/text/readable-error.ts';
import { shown } from '../../platform/text/visible.ts';
import { type Columns, tableOf } from '../admin/output.ts';
import { type Build, isPassing, listBuilds, makeCurrent } from './deployment.ts';

const LOOK_MS = 1_000;

const COLUMNS: Columns<Build> = {
  build: ({ id }) => id,
  state: ({ state }) => state,
  'seen at': ({ seenAt }) => seenAt?.toISOString() ?? null,
  'open operations': ({ openOperations }) => openOperations,
};

const program = commandLine('deploy').description(
  'Builds of the workers. Reads TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE from the environment, or from .dev/env.',
);

program
  .command('status')
  .description('show which build is current, and which older builds still have open operations')
  .action(() => withTemporal(async (temporal) => print(tableOf(await listBuilds(temporal), COLUMNS))));

program
  .command('current')
  .argument('[build]', 'WORKER_BUILD_ID of workers that are already running')
  .option('--unversioned', 'the workers that have no build id')
  .description('start new operations on a build; also rolls back to an older one')
  .action((build: string | undefined, { unversioned = false }: { unversioned?: boolean }) => {
    if ((build === undefined) !== unversioned) program.error('error: name a build, or say --unversioned');
    return withTemporal(async (temporal) => {
      await makeCurrent(temporal, build ?? null);
      print(tableOf(await listBuilds(temporal), COLUMNS));
    });
  });

program
  .command('drained')
  .argument('<build>', 'an older build')
  .description('wait until a build has no open operations, so that its workers can be stopped')
  .action((build: string) =>
    withTemporal(async (temporal) => {
      for (;;) {
        const builds = await listBuildsInTime(temporal);
        const found = builds?.find(({ id }) => id === build);
        if (builds && !found) return program.error(shown`error: Temporal has seen no worker of build ${build}`);
        if (found?.state === 'current') return program.error(shown`error: build ${build} is the current one`);
        if (found?.state === 'drained' || found?.state === 'inactive') return print(shown`${build} is ${found.state}`);
        await sleep(LOOK_MS);
      }
    }),
  );

/** Null when Temporal is slow or restarting, which does not end a wait of hours. */
function listBuildsInTime(temporal: Client): Promise<Build[] | null> {
  return listBuilds(temporal).catch((error: unknown) => {
    if (isPassing(error)) return null;
    throw error;
  });
}

async function withTemporal(work: (temporal: Client) => Promise<void>): Promise<void> {
  const environment = { ...(await readEnvironmentFile(ENVIRONMENT_FILE)), ...process.env };
  const settings = parseTemporalSettings(environment);
  const temporal = openTemporalClient(settings);
  try {
    await requireTemporal(temporal, settings);
    await work(temporal);
  } catch (error) {
    // Such as a build whose workers it has not seen.
    const reason = temporalReason(error);
    throw reason === null ? error : new ReadableError(shown`error: ${reason}`, { cause: error });
  } finally {
    await temporal.connection.close();
  }
}

runProcess(async () => {
  await program.parseAsync();
});
