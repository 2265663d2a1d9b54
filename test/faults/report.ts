import { type ClientRecord, isAddressChange } from './clients/record.ts';
import type { Crash } from './faults/crash.ts';
import { CRASH_STEPS } from './plan.ts';
import type { RunResult } from './run.ts';
import { explainUnserved } from './unserved.ts';

/** An operation is at most so long on its way when its process is killed, in microseconds. */
const SAME_MOMENT = 10_000_000;

/** The figures of a run. */
export interface Figures {
  /** Changes of addresses that were asked for, also those that were rejected. */
  requested: number;
  accepted: number;
  /** Of those accepted, by what they are about. */
  acceptedIpv6: number;
  reservedForDroplets: number;
  dropletsDestroyed: number;
  rejected: number;
  unavailable: number;
  unanswered: number;
  completed: number;
  errored: number;
  /** Longest time from a request to its outcome, in milliseconds, repetitions included. */
  longestAnswerMs: number;
  /** Longest time from an accepted request to the first time that its client saw it ended, in milliseconds. */
  longestActionMs: number;
}

/** Counts what the clients were told, and its outcome. */
export function figuresOf({ records, truth }: Pick<RunResult, 'records' | 'truth'>): Figures {
  const changes = records.filter(isAddressChange);
  const accepted = changes.filter(({ outcome }) => outcome.kind === 'accepted');
  const count = (kind: ClientRecord['outcome']['kind']) =>
    changes.filter(({ outcome }) => outcome.kind === kind).length;
  const ended = (status: string) => truth.actions.filter((action) => action.status === status).length;
  return {
    requested: changes.length,
    accepted: accepted.length,
    acceptedIpv6: accepted.filter(({ request }) => request.ipVersion === 6).length,
    reservedForDroplets: accepted.filter(({ request }) => request.kind === 'reserve' && request.droplet !== null)
      .length,
    dropletsDestroyed: records.filter(({ request, outcome }) => request.kind === 'destroy' && outcome.kind === 'done')
      .length,
    rejected: count('refused'),
    unavailable: count('unavailable'),
    unanswered: count('unknown') + count('unexpected'),
    completed: ended('completed'),
    errored: ended('errored'),
    longestAnswerMs: Math.max(0, ...changes.map((record) => (record.return - record.call) / 1_000)),
    longestActionMs: longestAction(records),
  };
}

function longestAction(records: ClientRecord[]): number {
  const acceptedAt = new Map<number, number>();
  for (const { outcome, return: at } of records) {
    if (outcome.kind === 'accepted' && outcome.action !== null) acceptedAt.set(outcome.action, at);
  }
  let longest = 0;
  for (const { request, outcome, return: at } of records) {
    if (request.kind !== 'poll' || outcome.kind !== 'action' || outcome.status === 'in-progress') continue;
    longest = Math.max(longest, (at - (acceptedAt.get(request.action) ?? at)) / 1_000);
  }
  return longest;
}

/** The report of a run, for a terminal and for the documents. */
export function describeRun(seed: number, result: RunResult): string {
  const figures = figuresOf(result);
  const { faults, truth, linearizability, problems } = result;
  const made = [...faults.counts].sort(([left], [right]) => left.localeCompare(right));
  const rows: [string, string | number][] = [
    ['seed', seed],
    ['operations accepted', figures.accepted],
    ['– of IPv6 addresses', figures.acceptedIpv6],
    ['– reserved for a droplet', figures.reservedForDroplets],
    ['droplets destroyed', figures.dropletsDestroyed],
    ['operations requested', figures.requested],
    ['rejected by a rule (400, 404, 422)', figures.rejected],
    ['rejected with 503', figures.unavailable],
    ['without an answer', figures.unanswered],
    ['actions completed', figures.completed],
    ['actions errored, and undone', figures.errored],
    ['longest wait for an answer', seconds(figures.longestAnswerMs)],
    ['longest from accepted to seen ended', seconds(figures.longestActionMs)],
    ['load / settling afterwards', `${seconds(result.loadMs)} / ${seconds(result.settlingMs)}`],
    [
      'histories checked',
      `${linearizability.addresses} addresses and droplets, ${linearizability.operations} operations`,
    ],
    ...describeExchanges(result),
    ['faults', made.reduce((sum, [, count]) => sum + count, 0)],
    ...made.map(([kind, count]): [string, number] => [`– ${kind}`, count]),
    ...describeCrashes(result),
    ['deadlocks that MySQL counted', faults.deadlocks],
    ['connections of MySQL killed', faults.killedConnections],
    ...[...faults.skipped].map(([kind, reason]): [string, string] => [`– not made: ${kind}`, reason]),
    ...[...truth.reasons].map(([reason, count]): [string, number] => [`– errored: ${reason}`, count]),
    ['problems', problems.length],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ...problems.map((one) => `  ${one}`)].join(
    '\n',
  );
}

/** All requests, and each answer that a client could not use with what was going on then. */
function describeExchanges({ exchanges, faults }: RunResult): [string, string][] {
  const share = (count: number) => `${count} (${((100 * count) / Math.max(1, exchanges.length)).toFixed(2)} %)`;
  const broken = exchanges.filter(({ status }) => status === 502 || status === null).length;
  const unserved = exchanges.filter(({ status }) => status === 503 || status === 504).length;
  return [
    ['requests, reads and repetitions included', String(exchanges.length)],
    ['answered 503 or 504', share(unserved)],
    ['answered 502, or not at all, since its process died or the way to it broke', share(broken)],
    ...explainUnserved(exchanges, faults.spans).map(({ answer, cause, count }): [string, string] => [
      `– ${answer}`,
      `${count}, during: ${cause}`,
    ]),
  ];
}

/** How often each step was met, and what was found after the kill. */
function describeCrashes({ faults, records }: RunResult): [string, string][] {
  return CRASH_STEPS.map((step) => {
    const made = faults.crashes.filter((crash) => crash.step === step);
    const proven = made.filter((crash) => crash.proven).length;
    const answered = made.filter((crash) => wasAnswered(crash, records)).length;
    const missed = faults.missed.get(`crash in ${step}`) ?? 0;
    return [
      `– in ${step}`,
      `${made.length}, found so ${proven}, answered before ${answered}; the step did not come ${missed}`,
    ];
  });
}

/** Whether a client was told of the operation's acceptance before the process was killed. */
function wasAnswered({ killedAt, states }: Crash, records: ClientRecord[]): boolean {
  return records.some(({ request, outcome, return: at }) => {
    if (outcome.kind !== 'accepted' || at > killedAt || at < killedAt - SAME_MOMENT) return false;
    return states.some(
      // Some answers name no action.
      ({ kind, address, actionId }) =>
        outcome.action === actionId ||
        (outcome.action === null && kind === request.kind && address === outcome.address),
    );
  });
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
