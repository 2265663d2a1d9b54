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
    readyMs: medianOf(rounds.map(({ readyMs }) => readyMs)),
    firstMs: medianOf(at(0)),
    secondMs: medianOf(at(1)),
    laterMs: medianOf(rounds.flatMap(({ assignMs }) => assignMs.slice(2))),
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

function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
