import { summarise } from '../../dev/bench/percentiles.ts';
import { formatTable } from '../../ops/admin/table.ts';
import type { SentRequest } from './load.ts';
import type { AwayResult, ModeResult } from './run.ts';

/** How much slower the middle read may be than before. */
const GOAL_READS = 1.2;
/** From Temporal's return until everything is completed. */
const GOAL_COMPLETED_MS = 10_000;

/** The figures of a run as a table. */
export function describeAway({ modes, violations, rates }: AwayResult): string {
  const headings = [
    'Temporal',
    'writes accepted',
    'refused',
    'reads p50/p99 before',
    'during',
    'ratio of p50',
    'writes p50/p99 before',
    'during',
    'most in the outbox',
    'open at return',
    'all completed after',
  ];
  const rows = modes.map((result) => {
    const { mode, before, during, outboxPeak, openAtReturn, completedAfterMs } = result;
    const writes = during.filter(({ kind }) => kind === 'write');
    return [
      mode,
      writes.length - writes.filter(isRejected).length,
      during.filter(isRejected).length,
      times(before, 'read'),
      times(during, 'read'),
      readRatio(result).toFixed(2),
      times(before, 'write'),
      times(during, 'write'),
      outboxPeak,
      openAtReturn,
      `${(completedAfterMs / 1_000).toFixed(1)} s`,
    ];
  });
  return [
    `${rates.writes} writes and ${rates.reads} reads a second; times in ms`,
    formatTable(headings, rows),
    `violations that the consistency check finds: ${violations.length}`,
  ].join('\n');
}

/** Whatever must not be, however fast the machine is; empty when nothing is wrong. */
export function problemsOf({ modes, violations, deaths }: AwayResult): string[] {
  return [
    ...modes.flatMap(({ mode, before, during, readiness, notCompleted }) => [
      ...[...before, ...during]
        .filter(isRejected)
        .map(({ what, problem }) => `${mode}: ${what} was rejected: ${problem}`),
      ...readiness
        .filter(({ httpStatus, status }) => httpStatus !== 200 || status !== 'degraded')
        .map(({ httpStatus, status }) => `${mode}: /readyz answered ${httpStatus}, ${status}`),
      ...(notCompleted > 0 ? [`${mode}: ${notCompleted} actions are not completed`] : []),
    ]),
    ...violations,
    ...deaths,
  ];
}

/** The goals of time that a run has missed. */
export function missedGoals({ modes }: AwayResult): string[] {
  return modes.flatMap((result) => {
    const { mode, completedAfterMs } = result;
    const ratio = readRatio(result);
    return [
      ...(ratio > GOAL_READS
        ? [`${mode}: reads took ${ratio.toFixed(2)} times as long at p50, not ${GOAL_READS}`]
        : []),
      ...(completedAfterMs > GOAL_COMPLETED_MS
        ? [
            `${mode}: everything was completed ${completedAfterMs.toFixed(0)} ms after the return, not ${GOAL_COMPLETED_MS}`,
          ]
        : []),
    ];
  });
}

function isRejected({ problem }: SentRequest): boolean {
  return problem !== null;
}

function timesOf(requests: readonly SentRequest[], of: SentRequest['kind']): number[] {
  return requests.filter(({ kind }) => kind === of).map(({ milliseconds }) => milliseconds);
}

function times(requests: readonly SentRequest[], kind: SentRequest['kind']): string {
  const { p50, p99 } = summarise(timesOf(requests, kind));
  return `${p50.toFixed(1)}/${p99.toFixed(0)}`;
}

function readRatio({ before, during }: ModeResult): number {
  return summarise(timesOf(during, 'read')).p50 / summarise(timesOf(before, 'read')).p50;
}
