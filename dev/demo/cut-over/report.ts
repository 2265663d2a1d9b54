import type { Summary } from '../../kit/statistics.ts';
import { UPSTREAM_NAMES } from './logs.ts';
import { KINDS, type StepResult, shareOnNew } from './measure.ts';
import type { WalkResult } from './walk.ts';

/** At most so many of the things that are wrong are told one by one. */
const TOLD_ONE_BY_ONE = 30;

/** The head of the table of steps, in Markdown. */
export const TABLE_HEAD = [
  '| step | command | on new | requests | failed | reads, legacy | reads, new | changes, legacy | changes, new | new way after | old way until |',
  `|${'---|'.repeat(11)}`,
].join('\n');

/** A step as a row of the table. */
export function rowOf(step: StepResult): string {
  const share = shareOnNew(step.split);
  const latencies = KINDS.flatMap((kind) => UPSTREAM_NAMES.map((upstream) => cellOf(step.latencies[kind][upstream])));
  const cells = [
    step.name,
    `\`${step.command}\``,
    share === null ? '–' : `${(share * 100).toFixed(1)} %`,
    step.requests,
    step.failed,
    ...latencies,
    millisecondsOf(step.newWayAfterMs),
    millisecondsOf(step.oldWayUntilMs),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** What the columns are, and the outcome of the whole; the last line is JSON. */
export function describeWalk({ steps, requests, failed, told, missedBeats, problems }: WalkResult): string {
  const toldOneByOne = problems.slice(0, TOLD_ONE_BY_ONE);
  const changes = Object.values(told).reduce((sum, count) => sum + count, 0);
  return [
    '',
    '"on new" is the share of the requests from a second after the flip on, by the metrics of the gateways. Times are in',
    'milliseconds, p50 / p99 (count), as clients see them. The last two columns count from the flip: the first request of',
    'somebody whom it moved that went the new way, and the last request that still went the old way.',
    '',
    `${requests} requests, ${failed} failed, ${missedBeats} beats missed; ${changes} actions were told of.`,
    ...(problems.length === 0 ? [] : [`${problems.length} things are wrong:`, ...toldOneByOne]),
    JSON.stringify(
      { passed: problems.length === 0, requests, failed, told, missedBeats, steps, problems: toldOneByOne },
      (_name, value: unknown) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value),
    ),
  ].join('\n');
}

function cellOf(summary: Summary | null): string {
  return summary === null ? '–' : `${summary.p50.toFixed(0)} / ${summary.p99.toFixed(0)} (${summary.count})`;
}

function millisecondsOf(value: number | null): string {
  return value === null ? '–' : value.toFixed(0);
}
