import { markdownTable } from '../../kit/statistics.ts';
import { type Delays, type Kill, PHASES, type Phase, summariseKills } from './measure.ts';

/** The delays of killed workers as a Markdown table. */
export function toKilledWorkerMarkdown(kills: Kill[]): string {
  const rows = PHASES.flatMap((phase) => {
    const { held, others } = summariseKills(kills, phase);
    return [row(phase, 'the killed worker', held), row(phase, 'the other worker', others)];
  });
  return [
    `From the kill of a worker to the completion of operations, ${kills.length} kills, in seconds.`,
    '',
    ...markdownTable(['killed in their', 'held by', 'operations', 'p50', 'p99', 'max'], rows),
  ].join('\n');
}

function row(phase: Phase, whose: string, delays: Delays) {
  const times = [delays?.p50, delays?.p99, delays?.max].map((ms) => (ms === undefined ? '–' : (ms / 1_000).toFixed(2)));
  return [phase, whose, delays?.count ?? 0, ...times];
}
