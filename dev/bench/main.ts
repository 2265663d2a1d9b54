import { commandLine, print, printJson } from '../../platform/text/print.ts';
import { startBenchEnvironment } from './environment.ts';
import { measure } from './measure.ts';
import { goals, toMarkdown } from './report.ts';

const program = commandLine('bench')
  .description('Measures the control plane against bare Temporal workflows, in turns on the same servers.')
  .option('--json', 'print JSON instead of tables', false)
  .option('--rounds <number>', 'interleaved rounds of one operation at a time', Number, 300)
  .option('--blocks <number>', 'interleaved blocks of many operations at a time', Number, 5)
  .option('--block-seconds <number>', 'length of a block', Number, 10)
  .option('--in-flight <number>', 'operations at a time in a block', Number, 32)
  .option('--workers <number>', 'worker processes beside the API', Number, 1)
  .option('--no-embedded-worker', 'run no worker inside the API process');
const options = program.parse().opts<{
  json: boolean;
  rounds: number;
  blocks: number;
  blockSeconds: number;
  inFlight: number;
  workers: number;
  embeddedWorker: boolean;
}>();

const environment = await startBenchEnvironment(
  { workers: options.workers, embeddedWorker: options.embeddedWorker },
  options.inFlight,
);
try {
  const results = await measure(environment, environment.running.openDatabase(1), {
    rounds: options.rounds,
    blocks: options.blocks,
    blockMs: options.blockSeconds * 1_000,
    inFlight: options.inFlight,
  });
  if (options.json) printJson({ ...results, goals: goals(results) });
  else print(toMarkdown(results));
} finally {
  await environment.close();
}
