import { Command } from 'commander';
import { EnvironmentError, messageOf } from '../../dev/environment/errors.ts';
import { stoppingSignal, withSeconds } from '../../dev/kit/script.ts';
import { describeRun } from './report.ts';
import { runFaults } from './run.ts';

/*
 * `npm run test:faults`: a mixed load from several client processes while everything is killed, cut, filled and stepped,
 * and a check of every promise afterwards. See docs/reliability.md.
 */

const options = new Command('test:faults')
  .description('Loads an environment of its own, breaks it in every way, and checks what it promised.')
  .option('--seed <number>', 'repeats the faults and the clients’ choices', '20261125')
  .option('--operations <count>', 'changes of addresses that are accepted at the least', '5000')
  .option('--faults <count>', 'faults that are made at the least', '100')
  .option('--pace <ms>', 'mean time from one fault to the next', '5000')
  .option('--clients <count>', 'client processes', '6')
  .parse()
  .opts<{ seed: string; operations: string; faults: string; pace: string; clients: string }>();

const signal = stoppingSignal();

try {
  const seed = Number(options.seed);
  const result = await runFaults({
    seed,
    operations: Number(options.operations),
    faults: Number(options.faults),
    paceMs: Number(options.pace),
    clients: Number(options.clients),
    folder: 'faults',
    report: withSeconds(console.log),
    signal,
  });
  console.log(`\n${describeRun(seed, result)}`);
  process.exitCode = result.problems.length === 0 ? 0 : 1;
} catch (error) {
  if (!signal.aborted) {
    console.error(
      error instanceof EnvironmentError ? error.message : error instanceof Error ? error.stack : messageOf(error),
    );
  }
  process.exitCode = 1;
}
