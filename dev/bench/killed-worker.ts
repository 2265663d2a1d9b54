import { commandLine, print, printJsonLine } from '../../platform/text/print.ts';
import { startKilledWorkerEnvironment } from './killed-worker/environment.ts';
import { measureKilledWorkers, PHASES, summariseKills } from './killed-worker/measure.ts';
import { toKilledWorkerMarkdown } from './killed-worker/report.ts';

const program = commandLine('bench:killed-worker')
  .description('Measures how long a killed worker delays what it held; ends with one line of JSON.')
  .option('--kills <number>', 'how often a worker is killed, in each phase', Number, 30)
  .option('--in-flight <number>', 'operations that wait for their host at each kill', Number, 8)
  .option('--seed <number>', 'of the moments of the kills', Number, 1);
const options = program.parse().opts<{ kills: number; inFlight: number; seed: number }>();

const environment = await startKilledWorkerEnvironment(options.inFlight);
try {
  const kills = await measureKilledWorkers(environment, options);
  print(toKilledWorkerMarkdown(kills));
  const summaries = PHASES.map((phase) => ({ phase, ...summariseKills(kills, phase) }));
  printJsonLine({ effort: options, summaries, kills });
} finally {
  await environment.close();
}
