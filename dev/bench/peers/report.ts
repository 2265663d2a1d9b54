import { fixed, markdownTable, sum } from '../../kit/statistics.ts';
import type { ProcessorTime } from '../processes.ts';
import type { Effort, PeerResults } from './measure.ts';
import { HOST_DELAYS_MS, type HostDelayMs } from './peer.ts';
import type { Recovery } from './recovery.ts';

/** Everything a run has found. */
export interface Results {
  effort: Effort;
  /** Load averages of a minute, before and after. */
  load: [number, number];
  peers: PeerResults[];
  recoveries: Recovery[];
}

/** The results as Markdown tables. */
export function toMarkdown({ effort, load, peers, recoveries }: Results): string {
  const starts = peers.flatMap(({ name, start }) => (start ? [[name, fixed(start.p50), fixed(start.p99)]] : []));
  return [
    `One at a time: ${effort.rounds} interleaved rounds. ${effort.inFlight} in flight: ${effort.blocks} interleaved blocks`,
    `of ${effort.blockMs / 1_000} s each, medians. Load before ${load[0].toFixed(2)}, after ${load[1].toFixed(2)}.`,
    ...HOST_DELAYS_MS.flatMap((delayMs) => ['', ...delayTable(peers, delayMs)]),
    '',
    'Until the start alone is durable, before it is known whether the operation is admitted, ms:',
    '',
    ...markdownTable(['', 'p50', 'p99'], starts),
    ...HOST_DELAYS_MS.flatMap((delayMs) => [
      '',
      `CPU of an operation in the blocks, ms, host answers after ${delayMs} ms:`,
      '',
      ...processorTable(peers, ({ byDelay }) => byDelay[delayMs].cpuMs),
    ]),
    '',
    'CPU in a second in which nobody asks anything, ms:',
    '',
    ...processorTable(peers, ({ idleCpuMs }) => idleCpuMs),
    ...(recoveries.length > 0 ? ['', ...recoveryTable(recoveries)] : []),
  ].join('\n');
}

function delayTable(peers: readonly PeerResults[], delayMs: HostDelayMs): string[] {
  const headings = ['accept p50 ms', 'p99', 'whole operation p50 ms', 'p99', 'operations/s', 'of each block'];
  const rows = peers.map(({ name, byDelay }) => {
    const { accept, whole, operationsPerSecond, rates, unavailable } = byDelay[delayMs];
    const times = [accept.p50, accept.p99, whole.p50, whole.p99, operationsPerSecond].map(fixed);
    return [name, ...times, rates.map(fixed).join(', '), unavailable];
  });
  return [`Host answers after ${delayMs} ms:`, '', ...markdownTable(['', ...headings, 'told to come again'], rows)];
}

function processorTable(peers: readonly PeerResults[], timeOf: (peer: PeerResults) => ProcessorTime): string[] {
  const times = peers.map(timeOf);
  const names = [...new Set(times.flatMap((time) => Object.keys(time)))];
  return markdownTable(
    ['', ...peers.map(({ name }) => name)],
    [
      ...names.map((name) => [name, ...times.map((time) => time[name]?.toFixed(1) ?? '')]),
      ['all', ...times.map((time) => fixed(sum(Object.values(time))))],
    ],
  );
}

const RECOVERY_HEADINGS = [
  ...['', 'operations', 'under way at the kill', 'answers again after s', 'those all published after s'],
  ...['completed once', 'doubled', 'open', 'without an event', 'published again', 'whole'],
];

function recoveryTable(recoveries: readonly Recovery[]): string[] {
  const rows = recoveries.map((one) => {
    const { name, operations, underWay, completed, doubled, open, unpublished, publishedAgain, whole } = one;
    const times = [one.restartMs, one.recoveredMs].map((time) => (time === null ? 'never' : fixed(time / 1_000)));
    const counts = [completed, doubled, open, unpublished, publishedAgain];
    return [name, operations, underWay, ...times, ...counts, whole ? 'yes' : 'NO'];
  });
  return [
    'SIGKILL to the process that carries out the operations, and started again at once:',
    '',
    ...markdownTable(RECOVERY_HEADINGS, rows),
  ];
}
