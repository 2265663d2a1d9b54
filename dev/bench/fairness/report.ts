import type { FloodResult } from './measure.ts';
import type { Measured } from './victim.ts';

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
  const cell = (flood: FloodResult, measured: Measured) =>
    `${flood.quiet[measured].p99.toFixed(1)} → ${flood.flooded[measured].p99.toFixed(1)}: **${ratio(flood, measured).toFixed(2)}**`;
  const answers = ({ counts }: FloodResult) =>
    Object.entries(counts.answers)
      .map(([status, count]) => `${status === '0' ? 'closed' : status}: ${count}`)
      .join(', ');
  return [
    `Floods at ${times} times their usual rate; p99 in ms without → with the flood: ratio. Load of the machine ${load.map((value) => value.toFixed(1)).join(', ')}.`,
    '',
    '| flood | rate | read p99 | reserve p99 | assign p99 | samples with | not served | answers to the flood |',
    '|---|---|---|---|---|---|---|---|',
    ...floods.map(
      (flood) =>
        `| ${flood.kind} | ${flood.rate} | ${cell(flood, 'read')} | ${cell(flood, 'reserve')} | ${cell(flood, 'assign')} | ${flood.flooded.read.count}, ${flood.flooded.reserve.count}, ${flood.flooded.assign.count} | ${flood.failures.flooded} | ${answers(flood)} |`,
    ),
  ].join('\n');
}
