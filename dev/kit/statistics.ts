/** The middle and the slow end of a series of times, in milliseconds. */
export interface Summary {
  count: number;
  p50: number;
  p99: number;
}

/** Summarises times in milliseconds; throws when there are none. */
export function summarise(times: readonly number[]): Summary {
  const sorted = times.toSorted((left, right) => left - right);
  return { count: sorted.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** The middle one of some numbers, or the mean of the middle two. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}

/** The sum of some numbers; 0 when there are none. */
export function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, one) => total + one, 0);
}

/** The average of some numbers; not a number when there are none. */
export function mean(numbers: readonly number[]): number {
  return sum(numbers) / numbers.length;
}

/** A number with one decimal place, as all tables have it; that of nothing is 0.0. */
export function fixed(value: number | undefined): string {
  return (value ?? 0).toFixed(1);
}

/** The lines of a Markdown table. */
export function markdownTable(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  return [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

/** What a project wants of a measurement, and what was measured. */
export interface Goal {
  goal: string;
  measured: string;
  met: boolean;
}

/** The lines of a Markdown table of goals. */
export function goalTable(goals: readonly Goal[], measured = 'measured'): string[] {
  return markdownTable(
    ['goal', measured, 'met'],
    goals.map((goal) => [goal.goal, goal.measured, goal.met ? 'yes' : 'no']),
  );
}

function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
  if (value === undefined) throw new Error('no times to summarise');
  return value;
}
