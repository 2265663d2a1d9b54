import { writeFile } from 'node:fs/promises';
import { commandLine, print, printError, printJson } from '../../../platform/text/print.ts';
import { toSvg } from './chart.ts';
import { amongFaults, withDeadlocks } from './faults.ts';
import { measure, type Run, undisturbed } from './measure.ts';
import { toJson, toMarkdown } from './report.ts';
import { type BenchServers, startBenchServers, type Upstreams, type UpstreamsOptions } from './upstreams.ts';

/*
 * `npm run bench:cut-over`: the 18 code paths on the stand-in for a legacy monolith and on the new upstream, in turns on
 * the same servers. See docs/cut-over.md.
 */

const WARM_UP_ROUNDS = 5;

const options = commandLine('bench:cut-over')
  .description('Measures the 18 code paths on the legacy stand-in and on the new upstream, in turns.')
  .option(
    '--rounds <number>',
    'rounds over the 18 code paths on both upstreams, in each of the three runs',
    Number,
    100,
  )
  .option('--json', 'print JSON instead of tables', false)
  .option('--svg <file>', 'write the bar chart there')
  .parse()
  .opts<{ rounds: number; json: boolean; svg?: string }>();

const servers = await startBenchServers();
const interrupted = () => void servers.close().finally(() => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
try {
  const { rounds } = options;
  const documented = await runWith(servers, { latencyScale: 1, fragile: false }, (upstreams) =>
    measure(upstreams, rounds, undisturbed),
  );
  printError('as documented: done');
  const zero = await runWith(servers, { latencyScale: 0, fragile: false }, (upstreams) =>
    measure(upstreams, rounds, undisturbed),
  );
  printError('inner calls at zero: done');
  const faulty = await runWith(servers, { latencyScale: 1, fragile: true }, (upstreams) =>
    measureAmongFaults(servers, upstreams, rounds),
  );
  printError('among faults: done');
  const results = { rounds, documented, zero, faulty };
  if (options.json) printJson(toJson(results));
  else print(toMarkdown(results));
  if (options.svg !== undefined) await writeFile(options.svg, toSvg(documented));
} finally {
  await servers.close();
}

async function runWith(
  { startUpstreams }: BenchServers,
  how: UpstreamsOptions,
  run: (upstreams: Upstreams) => Promise<Run>,
): Promise<Run> {
  const upstreams = await startUpstreams(how);
  try {
    await measure(upstreams, WARM_UP_ROUNDS, undisturbed);
    return await run(upstreams);
  } finally {
    await upstreams.stop();
  }
}

async function measureAmongFaults({ environment }: BenchServers, upstreams: Upstreams, rounds: number): Promise<Run> {
  const kafkaPid = environment.pidOf('kafka');
  return withDeadlocks(environment.openDatabase(1), () =>
    measure(upstreams, rounds, (side, send) => {
      const { mysql, servicePid } = upstreams[side];
      if (!mysql) throw new Error('connections cannot be lost');
      return amongFaults({ mysql, kafkaPid, servicePid }, Math.random, send);
    }),
  );
}
