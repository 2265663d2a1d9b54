import { fixed, markdownTable } from '../../kit/statistics.ts';
import type { FloodResult } from './measure.ts';
import { MEASURED, type Measured } from './victim.ts';

/** Everything a run has found. */
export interface FairnessResults {
  /** Of the machine over a minute, before and after each flood. */
  load: number[];
  /** How many times the usual rate was sent. */
  times: number;
  floods: FloodResult[];
}

/** How many times longer the slowest hundredth is with the flood than without. */
export function ratio({ quiet, flooded }: FloodResult, measured: Measured): number {
  return flooded[measured].p99 / quiet[measured].p99;
}

/** The results as a Markdown table: p99 in milliseconds without and with each flood, and their ratio. */
export function toFairnessMarkdown({ load, times, floods }: FairnessResults): string {
  return [
    `Floods at ${times} times their usual rate; p99 in ms without → with the flood: ratio. Load of the machine ${load.map((value) => value.toFixed(1)).join(', ')}.`,
    '',
    ...markdownTable(HEADINGS, floods.map(rowOf)),
  ].join('\n');
}

const HEADINGS = [
  'flood',
  'rate',
  ...MEASURED.map((measured) => `${measured} p99`),
  'samples with',
  'not served',
  'answers to the flood',
];

function rowOf(flood: FloodResult) {
  const { kind, rate, quiet, flooded, failures, counts } = flood;
  const times = MEASURED.map((measured) => {
    const [before, during] = [quiet[measured].p99, flooded[measured].p99];
    return `${fixed(before)} → ${fixed(during)}: **${ratio(flood, measured).toFixed(2)}**`;
  });
  const answers = Object.entries(counts.answers).map(
    ([status, count]) => `${status === '0' ? 'closed' : status}: ${count}`,
  );
  const samples = MEASURED.map((measured) => flooded[measured].count).join(', ');
  return [kind, rate, ...times, samples, failures.flooded, answers.join(', ')];
}
