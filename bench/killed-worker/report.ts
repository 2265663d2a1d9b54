import { type Kill, summariseKills } from './measure.ts';

/** The delays of killed workers as a Markdown table. */
export function toKilledWorkerMarkdown(kills: Kill[]): string {
  const { held, others } = summariseKills(kills);
  const row = (name: string, { count, p50, p99, max }: typeof held) =>
    `| ${[name, count, ...[p50, p99, max].map((ms) => (ms / 1_000).toFixed(2))].join(' | ')} |`;
  return [
    `From the kill of a worker to the completion of operations, ${kills.length} kills, in seconds.`,
    '',
    '| operations | count | p50 | p99 | max |',
    '|---|---|---|---|---|',
    row('held by the killed worker, in their first workflow task', held),
    row('held by the other worker', others),
  ].join('\n');
}
