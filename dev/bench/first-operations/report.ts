import { summarise } from '../../kit/statistics.ts';
import type { Round } from './rounds.ts';

/** What the rounds say together. Medians, in milliseconds. */
export interface FirstOperations {
  rounds: number;
  readyMs: number;
  firstMs: number;
  secondMs: number;
  laterMs: number;
  /** The largest share of a first assign to the second of its round. */
  worstRatio: number;
}

/** Sums rounds up. */
export function summariseFirst(rounds: readonly Round[]): FirstOperations {
  const at = (index: number) => rounds.map(({ assignMs }) => assignMs[index] ?? Number.NaN);
  return {
    rounds: rounds.length,
    readyMs: summarise(rounds.map(({ readyMs }) => readyMs)).p50,
    firstMs: summarise(at(0)).p50,
    secondMs: summarise(at(1)).p50,
    laterMs: summarise(rounds.flatMap(({ assignMs }) => assignMs.slice(2))).p50,
    worstRatio: Math.max(...rounds.map(({ assignMs: [first = Number.NaN, second = Number.NaN] }) => first / second)),
  };
}

/** A table for people. */
export function toFirstOperationsMarkdown(found: FirstOperations): string {
  return [
    '| rounds | application ready | first assign | second | later ones | worst first/second |',
    '|---|---|---|---|---|---|',
    `| ${found.rounds} | ${found.readyMs} ms | ${found.firstMs} ms | ${found.secondMs} ms | ${found.laterMs} ms | ${found.worstRatio.toFixed(2)} |`,
  ].join('\n');
}
