import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../../db/database.ts';
import { readOutboxState } from '../../../db/outbox.ts';
import { addressWorkflowId, reserveWorkflowId } from '../../../domain/names.ts';
import { type Summary, summarise } from '../../kit/statistics.ts';
import type { BenchEnvironment } from '../environment.ts';
import { runBare, runBareAnswering } from '../operations.ts';
import { type Call, type Caller, OPERATIONS, type OperationName } from './callers.ts';
import { type Phases, phasesOf } from './phases.ts';

/** What is measured of each operation of each caller, in milliseconds from the call. */
const MEASURES = ['accepted', 'known', 'completed'] as const;
export type Measure = (typeof MEASURES)[number];

/** Times by caller, operation and measure. `completed` is when the action was completed in MySQL. */
export type Times = Record<string, Record<OperationName, Record<Measure, Summary>>>;

/** What Temporal alone takes, in milliseconds. */
export interface BareTimes {
  /** Until a workflow that does nothing was started. */
  start: Summary;
  /** Until an update that was sent with the start was answered, after one local activity that does nothing. */
  updateWithStart: Summary;
}

/** What a series of rounds has found. */
export interface Series {
  rounds: number;
  times: Times;
  bare: BareTimes;
  /** Where the time of the SDK's assign goes; medians. */
  phases: Record<keyof Phases, number>;
}

/** What the rounds are made with. */
export interface SeriesOptions {
  environment: BenchEnvironment;
  db: Database;
  /** By name; the one named `sdk` is looked into. */
  callers: Record<string, Caller>;
  rounds: number;
}

/** Rounds in which each caller reserves an address, assigns it and releases it; each round begins with another caller. */
export async function measureSeries({ environment, db, callers, rounds }: SeriesOptions): Promise<Series> {
  const samples = new Samples();
  const bareStarted: number[] = [];
  const bareAnswered: number[] = [];
  const phases: Phases[] = [];
  const names = Object.keys(callers);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] ?? '';
      const caller = callers[name];
      if (caller) phases.push(...(await runOnce({ environment, db, samples }, name, caller)));
    }
    bareStarted.push((await runBare(environment, 'empty')).accepted);
    bareAnswered.push(await runBareAnswering(environment));
  }
  return {
    rounds,
    times: samples.summaries(),
    bare: { start: summarise(bareStarted), updateWithStart: summarise(bareAnswered) },
    phases: medians(phases),
  };
}

interface Context {
  environment: BenchEnvironment;
  db: Database;
  samples: Samples;
}

/** One address through its life; answers the phases of its assign when it was the SDK's. */
async function runOnce(context: Context, name: string, caller: Caller): Promise<Phases[]> {
  const { environment } = context;
  const [lane] = environment.lanes;
  if (!lane) throw new Error('there is no droplet');
  const { address } = await timed(context, name, 'reserve', () => caller.reserve());
  const begin = Date.now();
  const assigned = await timed(context, name, 'assign', () => caller.assign(address, lane.dropletId));
  const phases =
    name === 'sdk' ? [await phasesOf(environment.temporal, addressWorkflowId(address), begin, assigned)] : [];
  await timed(context, name, 'release', () => caller.release(address));
  return phases;
}

/** Runs one operation and lets everything behind it come to rest, so that the next one finds a quiet system. */
async function timed(
  { environment, db, samples }: Context,
  name: string,
  operation: OperationName,
  run: () => Promise<Call>,
): Promise<Call> {
  const begin = Date.now();
  const call = await run();
  const { completedAt, operationId } = await newestCompleted(db, environment.customer.id);
  samples.add(name, operation, { ...call, completed: completedAt.getTime() - begin });
  // Its workflow is started after the answer, and leaves the outbox when it has begun.
  while ((await readOutboxState(db)).waiting > 0) await sleep(LOOK_MS);
  const workflowId = operation === 'reserve' ? reserveWorkflowId(operationId) : addressWorkflowId(call.address);
  await environment.temporal.workflow.getHandle(workflowId).result();
  await sleep(QUIET_MS);
  return call;
}

/** Between two operations, so that what a process does after its answer is not charged to the next one. */
const QUIET_MS = 10;
const LOOK_MS = 2;

/** The account's newest action, once it is completed. */
async function newestCompleted(db: Database, accountId: number) {
  for (;;) {
    const action = await db
      .selectFrom('actions')
      .select(['operation_id', 'completed_at', 'status'])
      .where('account_id', '=', accountId)
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    if (action.status === 'errored') throw new Error('an operation errored');
    if (action.completed_at && action.operation_id !== null) {
      return { completedAt: action.completed_at, operationId: action.operation_id };
    }
    await sleep(LOOK_MS);
  }
}

/** Collects times and summarises them. */
class Samples {
  readonly #times = new Map<string, number[]>();
  readonly #names = new Set<string>();

  add(name: string, operation: OperationName, call: Record<Measure, number>): void {
    this.#names.add(name);
    for (const measure of MEASURES) {
      const key = `${name} ${operation} ${measure}`;
      this.#times.set(key, [...(this.#times.get(key) ?? []), call[measure]]);
    }
  }

  summaries(): Times {
    const of = (key: string) => summarise(this.#times.get(key) ?? []);
    const ofOperation = (key: string) => ({
      accepted: of(`${key} accepted`),
      known: of(`${key} known`),
      completed: of(`${key} completed`),
    });
    return Object.fromEntries(
      [...this.#names].map((name) => {
        const [reserve, assign, release] = OPERATIONS.map((operation) => ofOperation(`${name} ${operation}`));
        if (!reserve || !assign || !release) throw new Error('an operation was not measured');
        return [name, { reserve, assign, release }];
      }),
    );
  }
}

function medians(all: Phases[]): Record<keyof Phases, number> {
  const of = (phase: keyof Phases) => summarise(all.map((phases) => phases[phase])).p50;
  return {
    started: of('started'),
    taskTaken: of('taskTaken'),
    admitted: of('admitted'),
    decisionKnown: of('decisionKnown'),
    hostAnswered: of('hostAnswered'),
    secondTaskTaken: of('secondTaskTaken'),
    closed: of('closed'),
    endKnown: of('endKnown'),
  };
}
