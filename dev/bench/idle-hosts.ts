import { commandLine, print, printJsonLine } from '../../platform/text/print.ts';
import { startIdleEnvironment } from './idle/environment.ts';
import { type IdleEffort, measureIdle } from './idle/measure.ts';
import { toIdleMarkdown } from './idle/report.ts';

const program = commandLine('bench:hosts')
  .description('Measures what agents that wait for events cost one API process; ends with one line of JSON.')
  .option('--counts <numbers>', 'how many agents idle at a time, by commas', '0,10,100,500')
  .option('--rounds <number>', 'interleaved rounds of all of them', Number, 2)
  // An agent polls every 30 s and compares itself every 60 s, so all of it comes round in a minute.
  .option('--window-seconds <number>', 'length of a window', Number, 60)
  .option('--settle-seconds <number>', 'from the start of the last agent to the window', Number, 15);
const options = program.parse().opts<{
  counts: string;
  rounds: number;
  windowSeconds: number;
  settleSeconds: number;
}>();

const effort: IdleEffort = {
  counts: options.counts.split(',').map(Number),
  rounds: options.rounds,
  windowMs: options.windowSeconds * 1_000,
  settleMs: options.settleSeconds * 1_000,
};
const environment = await startIdleEnvironment(Math.max(...effort.counts));
try {
  const costs = await measureIdle(environment, effort);
  print(toIdleMarkdown(costs));
  printJsonLine({ effort, costs });
} finally {
  await environment.close();
}
