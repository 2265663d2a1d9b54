import { commandLine, describeError, print, printError } from '../../../platform/text/print.ts';
import { visible } from '../../../platform/text/visible.ts';
import { EnvironmentError } from '../../environment/errors.ts';
import { numberFrom, stoppingSignal } from '../../kit/script.ts';
import { describeWalk, rowOf, TABLE_HEAD } from './report.ts';
import { walk } from './walk.ts';

/*
 * `npm run demo:cut-over`: customers are moved from the stand-in for a legacy monolith to the new upstream and back, step by
 * step, while real clients go on working. See docs/cut-over.md.
 */

const options = commandLine('demo:cut-over')
  .description('Walks a migration under the load of real clients, and checks that nothing fails or is doubled.')
  .option('--customers <count>', 'customers, each with a client', numberFrom(4), 60)
  .option('--step-seconds <seconds>', 'how long each step lasts', numberFrom(2), 15)
  .option('--beat-ms <ms>', 'time from one request of a customer to the next', numberFrom(50), 1_500)
  .option('--change-every <requests>', 'one request of so many is a change', numberFrom(1), 10)
  .option('--seed <number>', 'repeats the customers’ choices', numberFrom(0), 20_261_125)
  .parse()
  .opts<{ customers: number; stepSeconds: number; beatMs: number; changeEvery: number; seed: number }>();

const signal = stoppingSignal();
let isFirst = true;
try {
  const result = await walk({
    customers: options.customers,
    stepMs: options.stepSeconds * 1_000,
    beatMs: options.beatMs,
    changeEvery: options.changeEvery,
    seed: options.seed,
    folder: 'demo-migration',
    report: (line) => print(`  ${visible(line)}`),
    onStep(step) {
      if (isFirst) print(`\n${TABLE_HEAD}`);
      isFirst = false;
      print(rowOf(step));
    },
    signal,
  });
  print(describeWalk(result));
  process.exitCode = result.problems.length === 0 ? 0 : 1;
} catch (error) {
  if (signal.aborted) print('Interrupted; everything that was started here is stopped.');
  else {
    printError(error instanceof EnvironmentError ? error.message : describeError(error));
  }
  process.exitCode = 1;
}
