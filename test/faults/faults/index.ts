import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../../../stack/errors.ts';
import { seededRandom } from '../../support/random.ts';
import { describeFault, type Fault, type FaultAction, faultsOf, kindOf } from '../plan.ts';
import { type FaultStack, HOSTS } from '../stack.ts';
import { stepClock } from './clock.ts';
import { fillKafkaDisk } from './kafka-disk.ts';
import { bringUp, killProcess } from './kill.ts';
import { troubleLink } from './link.ts';
import { causeDeadlocks, loseConnections } from './mysql.ts';

/** At most so many faults are going on at a time. */
const AT_A_TIME = 3;

/** What came of the faults of a run. */
export interface FaultLog {
  /** How many there were of each kind. */
  counts: Map<string, number>;
  /** Kinds that this machine does not allow, with the reason. */
  skipped: Map<string, string>;
  deadlocks: number;
  killedConnections: number;
  /** Faults that could not be made, or mended, or were too few. */
  problems: string[];
}

/** How the faults of a run are made. */
export interface FaultOptions {
  stack: FaultStack;
  seed: number;
  /** Mean time from one fault to the next, in milliseconds. */
  paceMs: number;
  report(line: string): void;
  /** Ends the faults: what is broken is mended, and no more comes. */
  signal: AbortSignal;
}

/**
 * Makes the faults of the seed, one after the other or some at a time, until the signal. Two never go on at the same
 * part, and of the two APIs only one is down at a time, and of the two gateways. The log grows while they are made.
 */
export function startFaults(options: FaultOptions): { log: FaultLog; finished: Promise<void> } {
  const log: FaultLog = { counts: new Map(), skipped: new Map(), deadlocks: 0, killedConnections: 0, problems: [] };
  return { log, finished: makeFaults(options, log) };
}

async function makeFaults({ stack, seed, paceMs, report, signal }: FaultOptions, log: FaultLog): Promise<void> {
  const going = new Map<string, Promise<void>>();
  for (const fault of faultsOf(seed, { hosts: HOSTS }, paceMs)) {
    await pause(fault.afterMs, signal);
    const subject = subjectOf(fault.action);
    while (!signal.aborted && (going.has(subject) || going.size >= AT_A_TIME)) await Promise.race(going.values());
    if (signal.aborted) break;
    const obstacle = obstacleTo(fault.action, stack);
    if (obstacle !== null) {
      log.skipped.set(kindOf(fault), obstacle);
      continue;
    }
    report(`fault ${fault.number}: ${describeFault(fault)}, for ${fault.holdMs} ms`);
    const making = makeFault(stack, fault, () => pause(fault.holdMs, signal), log)
      .then(() => void log.counts.set(kindOf(fault), (log.counts.get(kindOf(fault)) ?? 0) + 1))
      .catch(
        (error: unknown) =>
          void log.problems.push(`${describeFault(fault)} could not be made or mended: ${messageOf(error)}`),
      )
      .finally(() => going.delete(subject));
    going.set(subject, making);
  }
  await Promise.all(going.values());
}

async function makeFault(stack: FaultStack, fault: Fault, hold: () => Promise<void>, log: FaultLog): Promise<void> {
  const { action } = fault;
  const random = seededRandom(fault.number);
  switch (action.kind) {
    case 'kill':
      return killProcess(stack, action.process, hold);
    case 'slow link':
    case 'cut link':
      return troubleLink(stack, action, hold);
    case 'fill the disk of Kafka':
      if (stack.kafkaDisk) await fillKafkaDisk(stack, stack.kafkaDisk, hold);
      return;
    case 'deadlocks in MySQL':
      log.deadlocks += await causeDeadlocks(stack, random, hold);
      return;
    case 'lost connections of MySQL':
      log.killedConnections += await loseConnections(stack, random, hold);
      return;
    case 'step the clock of billing':
      if (stack.clockFile !== null) await stepClock(stack.clockFile, action.seconds, hold);
      return;
  }
}

/** Two faults at one subject wait for each other. */
function subjectOf(action: FaultAction): string {
  switch (action.kind) {
    case 'kill':
      return action.process.replace(/^(api|gateway)-.*/, '$1');
    case 'slow link':
    case 'cut link':
      return `link ${action.link}`;
    case 'fill the disk of Kafka':
      return 'kafka';
    case 'deadlocks in MySQL':
    case 'lost connections of MySQL':
      return 'mysql';
    case 'step the clock of billing':
      return 'clock';
  }
}

function obstacleTo(action: FaultAction, { kafkaDisk, clockFile }: FaultStack): string | null {
  if (action.kind === 'fill the disk of Kafka' && kafkaDisk === null) return 'mounting a disk needs root';
  if (action.kind === 'step the clock of billing' && clockFile === null) return 'libfaketime could not be had';
  return null;
}

/** Brings back whatever is down, at the end of a run. */
export async function mendAll(stack: FaultStack): Promise<void> {
  await Promise.all(['mysql', 'kafka', 'temporal'].map((name) => bringUp(stack, name)));
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
