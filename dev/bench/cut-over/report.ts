import { CODE_PATHS, type CodePath } from '../../../edge/code-paths.ts';
import { fixed, type Goal, goalTable, markdownTable, sum } from '../../kit/statistics.ts';
import { INNER_CALLS } from '../../legacy/parameters.ts';
import { FAULT_KINDS } from './faults.ts';
import type { PathResult, Run } from './measure.ts';
import { SIDES, type Side } from './upstreams.ts';

/** What a whole benchmark has found. */
export interface Results {
  rounds: number;
  /** With the documented times of the inner calls. */
  documented: Run;
  /** With all inner calls at zero. */
  zero: Run;
  /** As documented, and with transient faults. */
  faulty: Run;
}

const CHANGE_GOAL = 10;
const READ_GOAL = 4;
const READS = ['list', 'show', 'list_actions', 'show_action'];

/** Whether a code path changes nothing. */
export function isRead(codePath: CodePath): boolean {
  return READS.includes(codePath.split('.')[1] ?? '');
}

/** What legacy takes for each of the new upstream's milliseconds. */
function ratios({ legacy, new: fresh }: Record<Side, PathResult>): { p50: number; p99: number } {
  return { p50: legacy.times.p50 / fresh.times.p50, p99: legacy.times.p99 / fresh.times.p99 };
}

/** The results as Markdown. */
export function toMarkdown(results: Results): string {
  const { documented, zero, faulty } = results;
  return [
    'Inner calls as documented:',
    '',
    ...latencyTable(documented),
    '',
    'All inner calls at zero:',
    '',
    ...latencyTable(zero),
    '',
    'The share of the documented times at which both upstreams are equal at p50, and at which the goal is reached (10 times for a change, 4 times for a read), on a straight line through the two runs:',
    '',
    ...breakEvenTable(documented, zero),
    '',
    'Inner calls as documented, a transient fault around one request in twenty:',
    '',
    ...faultTable(faulty),
    '',
    ...errorTable(faulty),
    '',
    ...goalTable(goals(results), 'measured, at worst'),
  ].join('\n');
}

function latencyTable(run: Run): string[] {
  const headings = ['code path', 'legacy p50 / p99 ms', 'new p50 / p99 ms', 'ratio p50', 'ratio p99'];
  return pathTable(headings, run, (both) => {
    const { p50, p99 } = ratios(both);
    return [pair(both.legacy), pair(both.new), fixed(p50), fixed(p99)];
  });
}

function faultTable(run: Run): string[] {
  const headings = ['code path', 'legacy p50 / p99 ms', 'errors', 'new p50 / p99 ms', 'errors'];
  return pathTable(headings, run, ({ legacy, new: fresh }) => [pair(legacy), share(legacy), pair(fresh), share(fresh)]);
}

function errorTable({ faults, errorsByFault }: Run): string[] {
  const cells = (kind: (typeof FAULT_KINDS)[number] | 'none') =>
    SIDES.map((side) => {
      const errors = errorsByFault[side].get(kind) ?? 0;
      return kind === 'none' ? errors : `${errors} of ${faults[side].get(kind) ?? 0}`;
    });
  const kinds = FAULT_KINDS.filter((kind) => kind !== 'deadlock');
  return markdownTable(
    ['made around the request', 'errors of legacy', 'errors of new'],
    [...kinds.map((kind) => [kind, ...cells(kind)]), ['nothing, or a deadlock by chance', ...cells('none')]],
  );
}

function breakEvenTable(documented: Run, zero: Run): string[] {
  const share = (scale: number) => (scale <= 0 ? 'zero' : `${(scale * 100).toFixed(0)} %`);
  const headings = ['code path', 'legacy at zero', 'legacy as documented', 'new', 'equal at', 'goal reached at'];
  const rows = CODE_PATHS.map((codePath) => {
    const [full, none] = [pathOf(documented, codePath), pathOf(zero, codePath)];
    const [from, to, fresh] = [none.legacy.times.p50, full.legacy.times.p50, full.new.times.p50];
    const scaleOf = (factor: number) => (factor * fresh - from) / (to - from);
    const shares = [scaleOf(1), scaleOf(goalOf(codePath))].map(share);
    return [codePath, fixed(from), fixed(to), fixed(fresh), ...shares];
  });
  const medians = Object.entries(INNER_CALLS).map(([name, { medianMs }]) => `${medianMs} ms (${name})`);
  return [...markdownTable(headings, rows), '', `As documented, that is medians of ${medians.join(', ')}.`];
}

/** How many times lower than legacy's the project wants the times of a code path to be. */
function goalOf(codePath: CodePath): number {
  return isRead(codePath) ? READ_GOAL : CHANGE_GOAL;
}

/** The goals, each with the code path that comes off worst. */
export function goals({ documented, faulty }: Results): Goal[] {
  const worst = (of: (codePath: CodePath) => boolean, percentile: 'p50' | 'p99') =>
    CODE_PATHS.filter(of)
      .map((codePath) => ({ codePath, ratio: ratios(pathOf(documented, codePath))[percentile] }))
      .toSorted((left, right) => left.ratio - right.ratio)[0];
  const atLeast = (what: string, of: (codePath: CodePath) => boolean, percentile: 'p50' | 'p99', least: number) => {
    const found = worst(of, percentile);
    if (!found) throw new Error('no code path');
    const measured = `${found.ratio.toFixed(1)} (${found.codePath})`;
    return {
      goal: `${percentile} of every ${what} at least ${least} times lower`,
      measured,
      met: found.ratio >= least,
    };
  };
  const errorsOf = (side: Side) => sum([...faulty.paths.values()].map((both) => both[side].errors));
  return [
    atLeast('changing path', (codePath) => !isRead(codePath), 'p50', CHANGE_GOAL),
    atLeast('changing path', (codePath) => !isRead(codePath), 'p99', CHANGE_GOAL),
    atLeast('read', isRead, 'p50', READ_GOAL),
    atLeast('read', isRead, 'p99', READ_GOAL),
    {
      goal: 'with faults no errors, where legacy has some',
      measured: `${errorsOf('new')}, legacy ${errorsOf('legacy')}`,
      met: errorsOf('new') === 0 && errorsOf('legacy') > 0,
    },
  ];
}

function pathTable(headings: string[], run: Run, cells: (both: Record<Side, PathResult>) => string[]): string[] {
  return markdownTable(
    headings,
    CODE_PATHS.map((codePath) => [codePath, ...cells(pathOf(run, codePath))]),
  );
}

function pathOf(run: Run, codePath: CodePath): Record<Side, PathResult> {
  const both = run.paths.get(codePath);
  if (!both) throw new Error(`${codePath} was not measured`);
  return both;
}

function pair({ times }: PathResult): string {
  return `${fixed(times.p50)} / ${fixed(times.p99)}`;
}

function share({ requests, errors }: PathResult): string {
  return errors === 0 ? '0' : `${errors} (${((errors / requests) * 100).toFixed(1)} %)`;
}

/** The whole as JSON values, for whoever wants to compute with it. */
export function toJson(results: Results): unknown {
  const runOf = ({ paths, faults, errorsByFault }: Run) => ({
    paths: Object.fromEntries(paths),
    faults: Object.fromEntries(SIDES.map((side) => [side, Object.fromEntries(faults[side])])),
    errorsByFault: Object.fromEntries(SIDES.map((side) => [side, Object.fromEntries(errorsByFault[side])])),
  });
  return {
    rounds: results.rounds,
    documented: runOf(results.documented),
    zero: runOf(results.zero),
    faulty: runOf(results.faulty),
    goals: goals(results),
  };
}
