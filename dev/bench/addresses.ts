import { commandLine, print, printJsonLine } from '../../platform/text/print.ts';
import { numberFrom } from '../kit/script.ts';
import { fixed, goalTable, markdownTable, summarise } from '../kit/statistics.ts';
import { startControlPlane } from '../testbed/bed-environment.ts';
import { runAsTestbed } from '../testbed/run-as-testbed.ts';
import { createTestbed } from '../testbed/topology.ts';
import { type ChangeTimes, FilledHost } from './addresses/filled-host.ts';

/*
 * `npm run bench:addresses`: whether attaching and detaching take longer on a host that has many addresses. Two hosts
 * with real agents and the Linux driver, one with few and one with many addresses, all assigned through the public API;
 * then one more address is assigned and unassigned on each in turns. At last the many are taken off their host behind the
 * back of its agent, which is started again and has to bring them all back.
 */

const FEW = 10;
const WARM_UP_ROUNDS = 5;
const GOAL_RATIO = 1.5;
const GOAL_RECONCILE_MS = 5_000;
const CHANGES = ['attach', 'detach'] as const;

const options = commandLine('bench:addresses')
  .description('Compares attach and detach on a host with few addresses and on one with many.')
  .option('--many <count>', 'addresses on the full host', numberFrom(1, { whole: true }), 1_000)
  .option('--rounds <count>', 'attaches and detaches on each host', numberFrom(1, { whole: true }), 100)
  .parse()
  .opts<{ many: number; rounds: number }>();

await runAsTestbed(import.meta.url, async (control, signal) => {
  const report = (line: string) => print(`  ${line}`);
  const controlPlane = await startControlPlane({ control, report, folder: 'bench-addresses' });
  try {
    const bed = await createTestbed({ control });
    try {
      const [first, second] = bed.hosts;
      if (!first || !second) throw new Error('the bed has too few hosts');
      const few = await FilledHost.make(controlPlane, bed, { host: first, name: 'few', pool: '198.18.0.0/24' });
      const many = await FilledHost.make(controlPlane, bed, { host: second, name: 'many', pool: '198.19.0.0/20' });
      for (const [host, count] of [
        [few, FEW],
        [many, options.many],
      ] as const) {
        const started = performance.now();
        await host.fill(count);
        report(`${count} addresses are attached, after ${((performance.now() - started) / 1_000).toFixed(1)} s`);
      }
      for (let round = 0; round < WARM_UP_ROUNDS + options.rounds; round++) {
        signal.throwIfAborted();
        for (const host of [few, many]) await host.takeTurn();
      }
      const times = { few: await few.times(options.rounds), many: await many.times(options.rounds) };
      printReport(times, await many.reconcileFromNothing(options.many));
    } finally {
      await bed.close();
    }
  } finally {
    await controlPlane.close();
  }
});

function printReport({ few, many }: { few: ChangeTimes; many: ChangeTimes }, reconcileMs: number): void {
  const rows = (['agent', 'completed'] as const).flatMap((where) =>
    CHANGES.map((change) => {
      const [low, high] = [summarise(few[where][change]), summarise(many[where][change])];
      return { where, change, few: low, many: high, ratio: high.p50 / low.p50 };
    }),
  );
  const headings = ['what', `${FEW} attached, p50 (p99) ms`, `${options.many} attached, p50 (p99) ms`, 'ratio of p50'];
  const table = rows.map(({ where, change, few: low, many: high, ratio }) => [
    where === 'agent' ? `${change}, in the agent` : `${change}, until the action is completed`,
    ...[low, high].map(({ p50, p99 }) => `${fixed(p50)} (${fixed(p99)})`),
    ratio.toFixed(2),
  ]);
  const worst = Math.max(...rows.map(({ ratio }) => ratio));
  const goals = [
    { goal: `ratio ≤ ${GOAL_RATIO}`, measured: worst.toFixed(2), met: worst <= GOAL_RATIO },
    {
      goal: `all ${options.many} back after ≤ ${GOAL_RECONCILE_MS} ms, from the start of the agent's process`,
      measured: `${reconcileMs.toFixed(0)} ms`,
      met: reconcileMs <= GOAL_RECONCILE_MS,
    },
  ];
  print(['', ...markdownTable(headings, table), '', ...goalTable(goals), ''].join('\n'));
  printJsonLine({ rounds: options.rounds, rows, reconcileMs, goals });
}
