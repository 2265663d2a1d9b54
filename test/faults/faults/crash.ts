import { setTimeout as sleep } from 'node:timers/promises';
import { now } from '../clients/record.ts';
import type { FaultEnvironment } from '../environment.ts';
import { type CrashStep, SIDES, type Side } from '../plan.ts';
import { holdRequests, onStart, onStarted } from '../taps/grpc.ts';
import { type Met, onAdmissionCommitted, onOperationsTaken, onOutboxRemoval } from '../taps/mysql.ts';
import { findTaps, type ProcessTaps } from '../taps/process-taps.ts';
import type { Tap, Watcher } from '../taps/tap.ts';
import { bringUp } from './kill.ts';
import { type OperationState, readOperationStates } from './operation-states.ts';

/** Clients ask for something all the time, so a step that does not come within this is waited for in vain. */
const MET_WITHIN_MS = 10_000;
/** How long an answer that is on its way is given to get out before its process is killed. */
const ANSWER_MS = 250;
const WORKERS = SIDES.map((side) => `worker-${side}`);

/** A process that was killed in a step, and what was found right afterwards. */
export interface Crash {
  step: CrashStep;
  process: string;
  /** In microseconds, as the clients have them. */
  killedAt: number;
  /** Of the operations that it was at work on. */
  states: OperationState[];
  /** Whether an operation was found as this step leaves it. */
  proven: boolean;
}

/** What a step leaves of an operation: whether its workflow has started. It is committed and in the outbox in each. */
const STARTED: Record<CrashStep, boolean> = {
  'API: committed, not answered': false,
  'API: answered, start not sent': false,
  'starter: start sent, not answered': true,
  'starter: started, row not removed': true,
  'reconciler: rows taken, start not sent': false,
  'reconciler: start sent, not answered': true,
  'reconciler: started, row not removed': true,
};

/** Kills a process in a step of its work, and starts it again after a while; null when the step did not come. */
export async function crash(
  environment: FaultEnvironment,
  { step, side }: { step: CrashStep; side: Side },
  hold: () => Promise<void>,
): Promise<Crash | null> {
  const isReconciler = step.startsWith('reconciler');
  const api = `api-${side}`;
  const killed = isReconciler
    ? await withoutStarts(environment, api, () => killAndRead(environment, step, WORKERS))
    : await killAndRead(environment, step, [api]);
  if (!killed) return null;
  const { name, killedAt, reading } = killed;
  await hold();
  await bringUp(environment, name);
  if (reading.status === 'rejected') throw reading.reason;
  const states = reading.value;
  const proven = states.some(({ waits, started }) => waits && started === STARTED[step]);
  return { step, process: name, killedAt, states, proven };
}

/** What was found right after the kill is kept, or why it could not be read, until all is well again. */
async function killAndRead(environment: FaultEnvironment, step: CrashStep, names: string[]) {
  const killed = await killInStep(environment, step, names);
  if (!killed) return null;
  const [reading] = await Promise.allSettled([readOperationStates(environment, killed.operationIds)]);
  return { ...killed, reading };
}

/** While an API cannot reach Temporal, what it admits is left for reconcilers. */
async function withoutStarts<Result>(
  environment: FaultEnvironment,
  api: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const { temporal } = findTaps(environment.taps, api);
  temporal.watch(holdRequests);
  return work().finally(() => temporal.watch(null));
}

async function killInStep(
  environment: FaultEnvironment,
  step: CrashStep,
  names: string[],
): Promise<{ name: string; killedAt: number; operationIds: string[] } | null> {
  const met = Promise.withResolvers<{ name: string; killedAt: number; operationIds: string[] }>();
  let isMet = false;
  const watched = names.map((name) => {
    const [tap, watcher] = watchFor(step, findTaps(environment.taps, name), (operationIds) => {
      if (isMet) return 'pass';
      isMet = true;
      environment.processes.expectDeath(name);
      met.resolve({ name, killedAt: now(), operationIds });
      // The moment is now: nothing that follows may be seen by the process.
      if (step !== 'API: answered, start not sent') void environment.processes.kill(name);
      return 'hold';
    });
    tap.watch(watcher);
    return tap;
  });
  const timer = new AbortController();
  const late = sleep(MET_WITHIN_MS, null, { signal: timer.signal }).catch(() => null);
  const found = await Promise.race([met.promise, late]);
  timer.abort();
  isMet = true;
  try {
    if (!found) return null;
    if (step === 'API: answered, start not sent') await sleep(ANSWER_MS);
    const killedAt = step === 'API: answered, start not sent' ? now() : found.killedAt;
    await environment.processes.kill(found.name);
    const { mysql, temporal } = findTaps(environment.taps, found.name);
    mysql.reset();
    temporal.reset();
    return { ...found, killedAt };
  } finally {
    for (const tap of watched) tap.watch(null);
  }
}

function watchFor(step: CrashStep, { mysql, temporal }: ProcessTaps, met: Met): [tap: Tap, watcher: Watcher] {
  switch (step) {
    case 'API: committed, not answered':
      return [mysql, onAdmissionCommitted(met)];
    case 'API: answered, start not sent':
      return [temporal, onStart(met)];
    case 'starter: start sent, not answered':
    case 'reconciler: start sent, not answered':
      return [temporal, onStarted(met)];
    case 'starter: started, row not removed':
    case 'reconciler: started, row not removed':
      return [mysql, onOutboxRemoval(met)];
    case 'reconciler: rows taken, start not sent':
      return [mysql, onOperationsTaken(met)];
  }
}
