import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../dev/environment/errors.ts';
import { seededRandom } from '../../../dev/kit/random.ts';
import { now } from '../clients/record.ts';
import { type FaultEnvironment, HOSTS } from '../environment.ts';
import { describeFault, type Fault, type FaultAction, faultsOf, kindOf, SIDES } from '../plan.ts';
import { stepClock } from './clock.ts';
import { type Crash, crash } from './crash.ts';
import { fillKafkaDisk } from './kafka-disk.ts';
import { bringUp, killProcess } from './kill.ts';
import { troubleLink } from './link.ts';
import { causeDeadlocks, loseConnections } from './mysql.ts';
import { takeTemporalAway } from './temporal-away.ts';

/** At most so many faults are going on at a time. */
const AT_A_TIME = 3;
const WORKERS = SIDES.map((side) => `worker-${side}`);

/** When a fault began, and when all was well again, in microseconds as the clients have them. */
export interface FaultSpan {
  kind: string;
  action: FaultAction;
  from: number;
  /** Infinite while it is going on. */
  to: number;
}

/** The outcome of the faults of a run. */
export interface FaultLog {
  /** How many there were of each kind. */
  counts: Map<string, number>;
  spans: FaultSpan[];
  crashes: Crash[];
  /** Crashes whose step did not come, by kind; they do not count. */
  missed: Map<string, number>;
  /** Kinds that this machine does not allow, with the reason. */
  skipped: Map<string, string>;
  deadlocks: number;
  killedConnections: number;
  /** Faults that could not be made, or repaired, or were too few. */
  problems: string[];
}

/** How the faults of a run are made. */
export interface FaultOptions {
  environment: FaultEnvironment;
  seed: number;
  /** Mean time from one fault to the next, in milliseconds. */
  paceMs: number;
  report(line: string): void;
  /** Ends the faults: what is broken is repaired, and no more comes. */
  signal: AbortSignal;
}

/**
 * Makes the faults of the seed, one after the other or some at a time, until the signal. Two never go on at the same
 * part, and of the two APIs only one is down at a time, and of the two gateways. The log grows while they are made.
 */
export function startFaults(options: FaultOptions): { log: FaultLog; finished: Promise<void> } {
  const log: FaultLog = {
    counts: new Map(),
    spans: [],
    crashes: [],
    missed: new Map(),
    skipped: new Map(),
    deadlocks: 0,
    killedConnections: 0,
    problems: [],
  };
  return { log, finished: makeFaults(options, log) };
}

async function makeFaults({ environment, seed, paceMs, report, signal }: FaultOptions, log: FaultLog): Promise<void> {
  const going = new Set<{ subjects: string[]; finished: Promise<void> }>();
  for (const fault of faultsOf(seed, { hosts: HOSTS }, paceMs)) {
    await pause(fault.afterMs, signal);
    const subjects = subjectsOf(fault.action);
    const isFree = () =>
      going.size < AT_A_TIME && ![...going].some((other) => subjects.some((one) => other.subjects.includes(one)));
    while (!signal.aborted && !isFree()) await Promise.race([...going].map(({ finished }) => finished));
    if (signal.aborted) break;
    const obstacle = obstacleTo(fault.action, environment);
    if (obstacle !== null) {
      log.skipped.set(kindOf(fault), obstacle);
      continue;
    }
    report(`fault ${fault.number}: ${describeFault(fault)}, for ${fault.holdMs} ms`);
    const span: FaultSpan = { kind: kindOf(fault), action: fault.action, from: now(), to: Number.POSITIVE_INFINITY };
    log.spans.push(span);
    const finished = makeFault(environment, fault, () => pause(fault.holdMs, signal), log)
      .then((isMade) => countOne(isMade ? log.counts : log.missed, kindOf(fault)))
      .catch(
        (error: unknown) =>
          void log.problems.push(`${describeFault(fault)} could not be made or repaired: ${messageOf(error)}`),
      )
      .finally(() => {
        span.to = now();
        going.delete(entry);
      });
    const entry = { subjects, finished };
    going.add(entry);
  }
  await Promise.all([...going].map(({ finished }) => finished));
}

function countOne(counts: Map<string, number>, kind: string): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** Answers whether it could be made; a step of a crash may not come. */
async function makeFault(
  environment: FaultEnvironment,
  fault: Fault,
  hold: () => Promise<void>,
  log: FaultLog,
): Promise<boolean> {
  const { action } = fault;
  if (action.kind !== 'crash') {
    await makeTimedFault(environment, { number: fault.number, action }, hold, log);
    return true;
  }
  const made = await crash(environment, action, hold);
  if (made) log.crashes.push(made);
  return made !== null;
}

async function makeTimedFault(
  environment: FaultEnvironment,
  { number, action }: { number: number; action: Exclude<FaultAction, { kind: 'crash' }> },
  hold: () => Promise<void>,
  log: FaultLog,
): Promise<void> {
  const random = seededRandom(number);
  switch (action.kind) {
    case 'kill':
      return killProcess(environment, action.process, hold);
    case 'Temporal away':
      return takeTemporalAway(environment, action.way, hold);
    case 'slow link':
    case 'cut link':
      return troubleLink(environment, action, hold);
    case 'fill the disk of Kafka':
      if (environment.kafkaDisk) await fillKafkaDisk(environment, environment.kafkaDisk, hold);
      return;
    case 'deadlocks in MySQL':
      log.deadlocks += await causeDeadlocks(environment, random, hold);
      return;
    case 'lost connections of MySQL':
      log.killedConnections += await loseConnections(environment, random, hold);
      return;
    case 'step the clock of billing':
      if (environment.clockFile !== null) await stepClock(environment.clockFile, action.seconds, hold);
      return;
  }
}

/** Two faults that have a subject in common wait for each other. */
function subjectsOf(action: FaultAction): string[] {
  switch (action.kind) {
    case 'kill':
      return [action.process.replace(/^(api|gateway)-.*/, '$1')];
    case 'crash':
      // What it does needs both servers, and its proof too.
      return action.step.startsWith('reconciler')
        ? ['api', ...WORKERS, 'mysql', 'temporal']
        : ['api', 'mysql', 'temporal'];
    case 'Temporal away':
      return ['temporal', ...(action.way === 'cut off' ? SIDES.map((side) => `link temporal-${side}`) : [])];
    case 'slow link':
    case 'cut link':
      return [`link ${action.link}`];
    case 'fill the disk of Kafka':
      return ['kafka'];
    case 'deadlocks in MySQL':
    case 'lost connections of MySQL':
      return ['mysql'];
    case 'step the clock of billing':
      return ['clock'];
  }
}

function obstacleTo(action: FaultAction, { kafkaDisk, clockFile }: FaultEnvironment): string | null {
  if (action.kind === 'fill the disk of Kafka' && kafkaDisk === null) return 'mounting a disk needs root';
  if (action.kind === 'step the clock of billing' && clockFile === null) return 'libfaketime could not be had';
  return null;
}

/** Brings back whatever is down, at the end of a run. */
export async function repairAll(environment: FaultEnvironment): Promise<void> {
  await Promise.all(['mysql', 'kafka', 'temporal'].map((name) => bringUp(environment, name)));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
