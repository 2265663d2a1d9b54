import { print, printJsonLine } from '../../../platform/text/print.ts';
import { type Goal, goalTable, markdownTable, median, sum } from '../../kit/statistics.ts';
import type { Measurement } from './measurement.ts';

/** From the request to the first good answer, when the host is well. */
const GOAL_MS = 250;
/** How much slower that may be when the host is dead. */
const GOAL_RATIO = 1.5;
/** How much slower that may be when Temporal is dead. */
const GOAL_RATIO_WITHOUT_TEMPORAL = 1.1;

/** All rounds of one case. */
export interface CaseResult {
  name: string;
  hostIsWell: boolean;
  temporalIsDead: boolean;
  rounds: Measurement[];
}

const COLUMNS = ['detection', 'accepted', 'completed', 'firstGoodAnswer', 'lost', 'wrong'] as const;
const HEADINGS = {
  detection: 'detected',
  accepted: 'accepted',
  completed: 'completed',
  firstGoodAnswer: 'first good answer',
  lost: 'requests lost',
  wrong: 'wrong answers',
};

/** Prints a table in Markdown, the goals beside what was measured, and one line of JSON. */
export function printReport(results: readonly CaseResult[]): void {
  const rows = results.map(({ name, rounds }) => [
    name,
    rounds.length,
    ...COLUMNS.map((column) => cellOf(rounds.map((round) => round[column]))),
  ]);
  const headings = ['case', 'rounds', ...COLUMNS.map((column) => HEADINGS[column])];
  print(['', ...markdownTable(headings, rows)].join('\n'));
  print('\nMedians, with the largest in brackets; milliseconds. "detected" counts from the failure, the next three');
  print('from the request to move the address.\n');
  const goals = goalsOf(results);
  print([...goalTable(goals), ''].join('\n'));
  printJsonLine({ cases: Object.fromEntries(results.map(summaryOf)), goals });
}

function goalsOf(results: readonly CaseResult[]): Goal[] {
  const firstGood = (chosen: CaseResult[]) =>
    median(chosen.flatMap(({ rounds }) => rounds.map((round) => round.firstGoodAnswer)));
  const healthy = results.filter(({ temporalIsDead }) => !temporalIsDead);
  const well = firstGood(healthy.filter(({ hostIsWell }) => hostIsWell));
  const dead = firstGood(healthy.filter(({ hostIsWell }) => !hostIsWell));
  const alike = firstGood(healthy.filter(({ name }) => name === 'process killed'));
  const withoutTemporal = firstGood(results.filter(({ temporalIsDead }) => temporalIsDead));
  const wrong = sum(results.flatMap(({ rounds }) => rounds).map((round) => round.wrong));
  return [
    {
      goal: `request to first good answer, hosts well, ≤ ${GOAL_MS} ms`,
      measured: `${well.toFixed(0)} ms`,
      met: well <= GOAL_MS,
    },
    {
      goal: `the same with the host dead or cut off, times that ≤ ${GOAL_RATIO}`,
      measured: (dead / well).toFixed(2),
      met: dead / well <= GOAL_RATIO,
    },
    {
      goal: `a killed process with Temporal dead, times the same with Temporal ≤ ${GOAL_RATIO_WITHOUT_TEMPORAL}`,
      measured: (withoutTemporal / alike).toFixed(2),
      met: withoutTemporal / alike <= GOAL_RATIO_WITHOUT_TEMPORAL,
    },
    {
      goal: 'answers of the wrong droplet after the first of the right one: 0',
      measured: String(wrong),
      met: wrong === 0,
    },
  ];
}

function summaryOf({ name, rounds }: CaseResult) {
  return [name, Object.fromEntries(COLUMNS.map((column) => [column, median(rounds.map((round) => round[column]))]))];
}

function cellOf(values: readonly number[]): string {
  return `${median(values).toFixed(0)} (${Math.max(...values).toFixed(0)})`;
}
