import { writeFile } from 'node:fs/promises';
import { commandLine, print, printError, printJson } from '../../../platform/text/print.ts';
import { toSvg } from './chart.ts';
import { amongFaults, withDeadlocks } from './faults.ts';
import { measure, type Run, undisturbed } from './measure.ts';
import { toJson, toMarkdown } from './report.ts';
import { type BenchServers, type Stacks, type StacksOptions, startBenchServers } from './stack.ts';

/*
 * `npm run bench:cut-over`: the 18 code paths on the stand-in for a legacy monolith and on the new stack, in turns on
 * the same servers. See docs/cut-over.md.
 */

const WARM_UP_ROUNDS = 5;

const options = commandLine('bench:cut-over')
  .description('Measures the 18 code paths on the legacy stand-in and on the new stack, in turns.')
  .option('--rounds <number>', 'rounds over the 18 code paths on both stacks, in each of the three runs', Number, 100)
  .option('--json', 'print JSON instead of tables', false)
  .option('--svg <file>', 'write the bar chart there')
  .parse()
  .opts<{ rounds: number; json: boolean; svg?: string }>();

const servers = await startBenchServers();
const interrupted = () => void servers.close().finally(() => process.exit(1));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, interrupted);
try {
  const { rounds } = options;
  const documented = await runWith(servers, { latencyScale: 1, fragile: false }, (stacks) =>
    measure(stacks, rounds, undisturbed),
  );
  printError('as documented: done');
  const zero = await runWith(servers, { latencyScale: 0, fragile: false }, (stacks) =>
    measure(stacks, rounds, undisturbed),
  );
  printError('inner calls at zero: done');
  const faulty = await runWith(servers, { latencyScale: 1, fragile: true }, (stacks) =>
    measureAmongFaults(servers, stacks, rounds),
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
  { startStacks }: BenchServers,
  how: StacksOptions,
  run: (stacks: Stacks) => Promise<Run>,
): Promise<Run> {
  const stacks = await startStacks(how);
  try {
    await measure(stacks, WARM_UP_ROUNDS, undisturbed);
    return await run(stacks);
  } finally {
    await stacks.stop();
  }
}

async function measureAmongFaults({ environment }: BenchServers, stacks: Stacks, rounds: number): Promise<Run> {
  const kafkaPid = environment.pidOf('kafka');
  return withDeadlocks(environment.openDatabase(1), () =>
    measure(stacks, rounds, (side, send) => {
      const { mysql, servicePid } = stacks[side];
      if (!mysql) throw new Error('connections cannot be lost');
      return amongFaults({ mysql, kafkaPid, servicePid }, Math.random, send);
    }),
  );
}
