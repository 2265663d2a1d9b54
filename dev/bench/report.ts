import type { Costs } from './costs.ts';
import type { Results } from './measure.ts';

/** A goal and what was measured against it. */
export interface Goal {
  name: string;
  measured: number;
  limit: number;
  met: boolean;
}

/** The goals of the project, in the order of the table. */
export function goals(results: Results): Goal[] {
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
  return Object.values(cpuMs).reduce((sum, milliseconds) => sum + milliseconds, 0);
}

function atMost(name: string, measured: number, limit: number): Goal {
  return { name: `${name} ≤ ${limit}`, measured, limit, met: measured <= limit };
}

function atLeast(name: string, measured: number, limit: number): Goal {
  return { name: `${name} ≥ ${limit}`, measured, limit, met: measured >= limit };
}

/** The results as Markdown tables. */
export function toMarkdown(results: Results): string {
  const { accept, endToEnd, throughput, history, costs, bareCosts, effort } = results;
  const latencies = [
    latencyRow('accept an assign over HTTP', accept.assign, 'bare `workflow.start`', accept.bareStart),
    latencyRow(
      'assign until its workflow has closed',
      endToEnd.assign,
      'bare workflow of the same shape',
      endToEnd.bare,
    ),
    latencyRow('assign until a client reads `completed`', endToEnd.readAsCompleted, 'the same', endToEnd.bare),
  ];
  const processes = [...new Set([...Object.keys(costs.cpuMs), ...Object.keys(bareCosts.cpuMs)])];
  return [
    `One at a time, ${effort.rounds} rounds, interleaved:`,
    '',
    '| what | p50 ms | p99 ms | against | p50 ms | p99 ms | ratio p50 | ratio p99 |',
    '|---|---|---|---|---|---|---|---|',
    ...latencies,
    '',
    `${effort.inFlight} in flight, ${effort.blocks} blocks of ${effort.blockMs / 1_000} s each, interleaved, medians:`,
    '',
    '| operations/s | bare/s | ratio |',
    '|---|---|---|',
    `| ${throughput.operations.toFixed(1)} | ${throughput.bare.toFixed(1)} | ${(throughput.operations / throughput.bare).toFixed(2)} |`,
    '',
    'What one operation costs (averages of the blocks):',
    '',
    '| | operation | bare |',
    '|---|---|---|',
    `| workflow tasks | ${history.assign.workflowTasks} | ${history.bare.workflowTasks} |`,
    `| history events | ${history.assign.events} | ${history.bare.events} |`,
    `| MySQL queries | ${costs.mysqlQueries.toFixed(1)} | ${bareCosts.mysqlQueries.toFixed(1)} |`,
    `| Kafka messages | ${costs.kafkaMessages.toFixed(2)} | ${bareCosts.kafkaMessages.toFixed(2)} |`,
    ...processes.map((name) => `| CPU ms, ${name} | ${fixed(costs.cpuMs[name])} | ${fixed(bareCosts.cpuMs[name])} |`),
    `| CPU ms, all | ${fixed(sum(costs.cpuMs))} | ${fixed(sum(bareCosts.cpuMs))} |`,
    '',
    `The idle system asks ${results.idleQueriesPerSecond.toFixed(1)} queries a second of MySQL.`,
    '',
    '| goal | measured | met |',
    '|---|---|---|',
    ...goals(results).map((goal) => `| ${goal.name} | ${goal.measured.toFixed(2)} | ${goal.met ? 'yes' : 'no'} |`),
  ].join('\n');
}

interface Times {
  p50: number;
  p99: number;
}

function latencyRow(what: string, ours: Times, against: string, bare: Times): string {
  const cells = [
    what,
    fixed(ours.p50),
    fixed(ours.p99),
    against,
    fixed(bare.p50),
    fixed(bare.p99),
    (ours.p50 / bare.p50).toFixed(2),
    (ours.p99 / bare.p99).toFixed(2),
  ];
  return `| ${cells.join(' | ')} |`;
}

function fixed(value: number | undefined): string {
  return (value ?? 0).toFixed(1);
}

function sum(parts: Record<string, number>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
