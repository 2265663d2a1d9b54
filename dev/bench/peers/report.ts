import type { Effort, PeerResults } from './measure.ts';
import { HOST_DELAYS_MS, type HostDelayMs } from './peer.ts';
import type { ProcessorTime } from './processor-time.ts';
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
  const starts = peers.flatMap(({ name, start }) =>
    start ? [`| ${name} | ${ms(start.p50)} | ${ms(start.p99)} |`] : [],
  );
  return [
    `One at a time: ${effort.rounds} interleaved rounds. ${effort.inFlight} in flight: ${effort.blocks} interleaved blocks`,
    `of ${effort.blockMs / 1_000} s each, medians. Load before ${load[0].toFixed(2)}, after ${load[1].toFixed(2)}.`,
    ...HOST_DELAYS_MS.flatMap((delayMs) => ['', ...delayTable(peers, delayMs)]),
    '',
    'Until the start alone is durable, before it is known whether the operation is admitted, ms:',
    '',
    '| | p50 | p99 |',
    '|---|---|---|',
    ...starts,
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
  return [
    `Host answers after ${delayMs} ms:`,
    '',
    '| | accept p50 ms | p99 | whole operation p50 ms | p99 | operations/s | of each block | told to come again |',
    '|---|---|---|---|---|---|---|---|',
    ...peers.map(({ name, byDelay }) => {
      const { accept, whole, operationsPerSecond, rates, unavailable } = byDelay[delayMs];
      const each = rates.map((rate) => rate.toFixed(1)).join(', ');
      const times = [accept.p50, accept.p99, whole.p50, whole.p99].map(ms).join(' | ');
      return `| ${name} | ${times} | ${operationsPerSecond.toFixed(1)} | ${each} | ${unavailable} |`;
    }),
  ];
}

function processorTable(peers: readonly PeerResults[], timeOf: (peer: PeerResults) => ProcessorTime): string[] {
  const times = peers.map(timeOf);
  const names = [...new Set(times.flatMap((time) => Object.keys(time)))];
  const sum = (time: ProcessorTime) => Object.values(time).reduce((total, one) => total + one, 0);
  return [
    `| | ${peers.map(({ name }) => name).join(' | ')} |`,
    `|---${'|---'.repeat(peers.length)}|`,
    ...names.map((name) => `| ${name} | ${times.map((time) => time[name]?.toFixed(1) ?? '').join(' | ')} |`),
    `| all | ${times.map((time) => sum(time).toFixed(1)).join(' | ')} |`,
  ];
}

function recoveryTable(recoveries: readonly Recovery[]): string[] {
  return [
    'SIGKILL to the process that carries out the operations, and started again at once:',
    '',
    '| | operations | under way at the kill | answers again after s | those all published after s | completed once | doubled | open | without an event | published again | whole |',
    '|---|---|---|---|---|---|---|---|---|---|---|',
    ...recoveries.map((one) => {
      const { name, operations, underWay, completed, doubled, open, unpublished, publishedAgain, whole } = one;
      const times = [one.restartMs, one.recoveredMs].map((time) =>
        time === null ? 'never' : (time / 1_000).toFixed(1),
      );
      const cells = [name, operations, underWay, ...times, completed, doubled, open, unpublished, publishedAgain];
      return `| ${cells.join(' | ')} | ${whole ? 'yes' : 'NO'} |`;
    }),
  ];
}

function ms(time: number): string {
  return time.toFixed(1);
}
