import { type Kill, PHASES, summariseKills } from './measure.ts';

/** The delays of killed workers as a Markdown table. */
export function toKilledWorkerMarkdown(kills: Kill[]): string {
  const rows = PHASES.flatMap((phase) => {
    const { held, others } = summariseKills(kills, phase);
    const row = (whose: string, { count, p50, p99, max }: typeof held) =>
      `| ${[phase, whose, count, ...[p50, p99, max].map((ms) => (ms / 1_000).toFixed(2))].join(' | ')} |`;
    return [row('the killed worker', held), row('the other worker', others)];
  });
  return [
    `From the kill of a worker to the completion of operations, ${kills.length} kills, in seconds.`,
    '',
    '| killed in their | held by | operations | p50 | p99 | max |',
    '|---|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}
