import { fixed, markdownTable, type Summary } from '../../kit/statistics.ts';
import { OPERATIONS, type OperationName } from './callers.ts';
import type { Measure, Series } from './measure.ts';

/** The goal for each operation: the p50 by the SDK, as a share of the p50 on the public path. */
export const GOAL = 0.5;

/** Everything a run has found. */
export interface ServicesResults {
  /** The load average of the last minute, when it began and when it ended. */
  load: [number, number];
  /** An action in progress is looked at every `pollMs`. */
  quick: Series & { pollMs: number };
  /** The same with the pause of ready-made clients; only the SDK and the public path. */
  readyMade: Series & { pollMs: number };
}

const MEASURE_NAMES: Record<Measure, string> = {
  accepted: 'decision known',
  known: 'known to be completed',
  completed: 'completed in MySQL',
};

const MEASURES = ['accepted', 'known', 'completed'] as const;

/** The results as Markdown tables. */
export function toServicesMarkdown({ load, quick, readyMade }: ServicesResults): string {
  return [
    `${quick.rounds} rounds, interleaved; load ${load.map((one) => one.toFixed(1)).join(' to ')}.`,
    `An action in progress is looked at every ${quick.pollMs} ms.`,
    '',
    ...ratioTable(quick, { against: 'public' }),
    '',
    'With a new TLS connection for every request of the customer:',
    '',
    ...ratioTable(quick, { against: 'fresh' }),
    '',
    'The SDK with a database, for services that may reach MySQL:',
    '',
    ...ratioTable(quick, { caller: 'database', against: 'public' }),
    '',
    `With the pause of ready-made clients, ${readyMade.pollMs} ms (${readyMade.rounds} rounds, interleaved):`,
    '',
    ...ratioTable(readyMade, { against: 'public', operations: ['assign'], measures: ['known'] }),
    '',
    'Where the time of the public path goes, until the decision is known, p50 ms:',
    '',
    ...markdownTable(
      ['', ...OPERATIONS],
      [
        layerRow('new TLS connection', quick, 'fresh', 'public'),
        layerRow('TLS, kept', quick, 'public', 'gateway'),
        layerRow('gateway', quick, 'gateway', 'api'),
        ['API', ...OPERATIONS.map((operation) => fixed(p50(quick, 'api', operation)))],
      ],
    ),
    '',
    'Where the time of an assign by the SDK goes, p50 ms:',
    '',
    ...markdownTable(
      ['part', 'ms'],
      Object.entries(PHASE_NAMES).map(([phase, name]) => [name, fixed(Reflect.get(quick.phases, phase))]),
    ),
    '',
    ...markdownTable(
      ['Temporal alone', 'p50 ms', 'p99 ms'],
      [
        ['`workflow.start`', ...cells(quick.bare.start)],
        ['update with start, one empty local activity', ...cells(quick.bare.updateWithStart)],
      ],
    ),
    '',
    ...markdownTable(
      [`goal: SDK / public at p50 ≤ ${GOAL}`, ...Object.values(MEASURE_NAMES)],
      OPERATIONS.map((operation) => goalRow(quick, operation)),
    ),
  ].join('\n');
}

const PHASE_NAMES = {
  started: 'call, until Temporal has written the start',
  taskTaken: 'until a worker has the first task',
  admitted: 'until that is done: admit in MySQL',
  decisionKnown: 'until the caller has the decision (beside the next)',
  hostAnswered: 'from the end of the first task until the host has acknowledged',
  secondTaskTaken: 'until a worker has the second task',
  closed: 'until that is done: settled in MySQL, billed in Kafka',
  endKnown: 'until the caller knows',
};

/** What a table compares; by default the SDK without a database, in every operation and measure. */
interface Comparison {
  caller?: 'sdk' | 'database';
  against: string;
  operations?: readonly OperationName[];
  measures?: readonly Measure[];
}

function ratioTable(
  series: Series,
  { caller = 'sdk', against, operations = OPERATIONS, measures = MEASURES }: Comparison,
): string[] {
  const rows = operations.flatMap((operation) =>
    measures.map((measure) => {
      const sdk = summaryOf(series, caller, operation)[measure];
      const other = summaryOf(series, against, operation)[measure];
      const ratios = [sdk.p50 / other.p50, sdk.p99 / other.p99].map((ratio) => ratio.toFixed(2));
      return [operation, MEASURE_NAMES[measure], ...cells(sdk), ...cells(other), ...ratios];
    }),
  );
  const times = ['SDK p50 ms', 'p99 ms', 'public p50 ms', 'p99 ms', 'ratio p50', 'ratio p99'];
  return markdownTable(['operation', 'until', ...times], rows);
}

function layerRow(name: string, series: Series, outer: string, inner: string): string[] {
  const times = OPERATIONS.map((operation) => fixed(p50(series, outer, operation) - p50(series, inner, operation)));
  return [name, ...times];
}

function goalRow(series: Series, operation: OperationName): string[] {
  const ratios = MEASURES.map((measure) => {
    const [sdk, other] = [summaryOf(series, 'sdk', operation), summaryOf(series, 'public', operation)];
    const ratio = sdk[measure].p50 / other[measure].p50;
    return `${ratio.toFixed(2)}, ${ratio <= GOAL ? 'met' : 'missed'}`;
  });
  return [operation, ...ratios];
}

function p50(series: Series, caller: string, operation: OperationName): number {
  return summaryOf(series, caller, operation).accepted.p50;
}

function summaryOf({ times }: Series, caller: string, operation: OperationName): Record<Measure, Summary> {
  const found = times[caller]?.[operation];
  if (!found) throw new Error(`${caller} was not measured`);
  return found;
}

function cells({ p50, p99 }: Summary): string[] {
  return [fixed(p50), fixed(p99)];
}
