import { Option } from 'commander';
import { numberFrom, stoppingSignal, withSeconds } from '../../dev/kit/script.ts';
import { commandLine } from '../../platform/text/print.ts';
import { MODES, type Mode } from './environment.ts';
import { describeAway, missedGoals, problemsOf } from './report.ts';
import { runAway } from './run.ts';

/*
 * `npm run test:away`: Temporal is killed, stopped and slowed, each for a minute under load, and everything must be
 * accepted and complete by itself. See docs/reliability.md.
 */

const options = commandLine('test:away')
  .description('Takes Temporal away from an environment of its own under load, and checks what customers notice.')
  .addOption(new Option('--mode <modes...>', 'how Temporal is taken away').choices(MODES).default([...MODES], 'all'))
  .option('--writes <rate>', 'writes a second', numberFrom(1), 30)
  .option('--reads <rate>', 'reads a second', numberFrom(1), 100)
  .option('--away-seconds <seconds>', 'how long Temporal is away', numberFrom(1), 60)
  .option('--healthy-seconds <seconds>', 'how long the same load runs before that', numberFrom(1), 25)
  .parse()
  .opts<{ mode: Mode[]; writes: number; reads: number; awaySeconds: number; healthySeconds: number }>();

const result = await runAway({
  modes: options.mode,
  rates: { writes: options.writes, reads: options.reads },
  awayMs: options.awaySeconds * 1_000,
  healthyMs: options.healthySeconds * 1_000,
  folder: 'away',
  signal: stoppingSignal(),
  report: withSeconds(console.log),
});
console.log(`\n${describeAway(result)}`);
const wrong = [...problemsOf(result), ...missedGoals(result)];
for (const line of summarise(wrong)) console.log(line);
process.exitCode = wrong.length === 0 ? 0 : 1;

/** Each line once, with how often it came. */
function summarise(lines: readonly string[]): string[] {
  return [...Map.groupBy(lines, (line) => line)].map(([line, { length }]) =>
    length > 1 ? `${length} × ${line}` : line,
  );
}
