import { fixed, goalTable, markdownTable, type Summary, sum } from '../kit/statistics.ts';
import type { Costs } from './costs.ts';
import type { Results } from './measure.ts';

/** A goal and what was measured against it. */
export interface MeasuredGoal {
  name: string;
  measured: number;
  limit: number;
  met: boolean;
}

/** The goals of the project, in the order of the table. */
export function goals(results: Results): MeasuredGoal[] {
  const { accept, endToEnd, throughput, history, costs, bareCosts } = results;
  return [
    atMost('accept p50, times a bare start', accept.assign.p50 / accept.bareStart.p50, 1.2),
    atMost('accept p99, times a bare start', accept.assign.p99 / accept.bareStart.p99, 1.2),
    atMost('whole operation p50, times bare', endToEnd.assign.p50 / endToEnd.bare.p50, 0.9),
    atLeast('throughput, share of bare', throughput.operations / throughput.bare, 1),
    atMost('workflow tasks', history.assign.workflowTasks, 1),
    atMost('history events', history.assign.events, 10),
    atMost('MySQL queries', costs.mysqlQueries, 16),
    atMost('CPU of all processes, times bare', cpuOf(costs) / cpuOf(bareCosts), 1),
  ];
}

function cpuOf({ cpuMs }: Costs): number {
  return sum(Object.values(cpuMs));
}

function atMost(name: string, measured: number, limit: number): MeasuredGoal {
  return { name: `${name} ≤ ${limit}`, measured, limit, met: measured <= limit };
}

function atLeast(name: string, measured: number, limit: number): MeasuredGoal {
  return { name: `${name} ≥ ${limit}`, measured, limit, met: measured >= limit };
}

/** The results as Markdown tables. */
export function toMarkdown(results: Results): string {
  const { accept, endToEnd, throughput, history, costs, bareCosts, effort } = results;
  const { assign, readAsCompleted, bare } = endToEnd;
  const processes = [...new Set([...Object.keys(costs.cpuMs), ...Object.keys(bareCosts.cpuMs)])];
  return [
    `One at a time, ${effort.rounds} rounds, interleaved:`,
    '',
    ...markdownTable(
      ['what', 'p50 ms', 'p99 ms', 'against', 'p50 ms', 'p99 ms', 'ratio p50', 'ratio p99'],
      [
        latencyRow('accept an assign over HTTP', accept.assign, 'bare `workflow.start`', accept.bareStart),
        latencyRow('assign until its workflow has closed', assign, 'bare workflow of the same shape', bare),
        latencyRow('assign until a client reads `completed`', readAsCompleted, 'the same', bare),
      ],
    ),
    '',
    `${effort.inFlight} in flight, ${effort.blocks} blocks of ${effort.blockMs / 1_000} s each, interleaved, medians:`,
    '',
    ...markdownTable(
      ['operations/s', 'bare/s', 'ratio'],
      [[fixed(throughput.operations), fixed(throughput.bare), (throughput.operations / throughput.bare).toFixed(2)]],
    ),
    '',
    'What one operation costs (averages of the blocks):',
    '',
    ...markdownTable(
      ['', 'operation', 'bare'],
      [
        ['workflow tasks', history.assign.workflowTasks, history.bare.workflowTasks],
        ['history events', history.assign.events, history.bare.events],
        ['MySQL queries', fixed(costs.mysqlQueries), fixed(bareCosts.mysqlQueries)],
        ['Kafka messages', costs.kafkaMessages.toFixed(2), bareCosts.kafkaMessages.toFixed(2)],
        ...processes.map((name) => [`CPU ms, ${name}`, fixed(costs.cpuMs[name]), fixed(bareCosts.cpuMs[name])]),
        ['CPU ms, all', fixed(cpuOf(costs)), fixed(cpuOf(bareCosts))],
      ],
    ),
    '',
    `The idle system asks ${fixed(results.idleQueriesPerSecond)} queries a second of MySQL.`,
    '',
    ...goalTable(goals(results).map(({ name: goal, measured, met }) => ({ goal, measured: measured.toFixed(2), met }))),
  ].join('\n');
}

function latencyRow(what: string, ours: Summary, against: string, bare: Summary): string[] {
  const ratios = [ours.p50 / bare.p50, ours.p99 / bare.p99].map((ratio) => ratio.toFixed(2));
  return [what, fixed(ours.p50), fixed(ours.p99), against, fixed(bare.p50), fixed(bare.p99), ...ratios];
}
