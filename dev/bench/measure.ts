import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../db/database.ts';
import { addressWorkflowId } from '../../domain/names.ts';
import { median, type Summary, sum, summarise } from '../kit/statistics.ts';
import { type Costs, costsPerOperation, type Meter, readMeter, usedBetween } from './costs.ts';
import type { BenchEnvironment, Lane } from './environment.ts';
import { countHistory, type HistoryCount } from './history.ts';
import { operate, operateNext, runBare, untilReadAsCompleted } from './operations.ts';

/** How much is measured. */
export interface Effort {
  /** Interleaved rounds of one operation at a time. */
  rounds: number;
  /** Interleaved blocks of many operations at a time. */
  blocks: number;
  /** Length of each block, in milliseconds. */
  blockMs: number;
  /** Operations at a time in a block. */
  inFlight: number;
}

/** Everything a run has found; times in milliseconds. */
export interface Results {
  effort: Effort;
  accept: { assign: Summary; bareStart: Summary };
  endToEnd: { assign: Summary; readAsCompleted: Summary; bare: Summary };
  /** Operations a second, the median of the blocks. */
  throughput: { operations: number; bare: number };
  history: { assign: HistoryCount; bare: HistoryCount };
  idleQueriesPerSecond: number;
  costs: Costs;
  bareCosts: Costs;
}

/** Measures the control plane and the bare workflow in turns on the same servers. */
export async function measure(environment: BenchEnvironment, db: Database, effort: Effort): Promise<Results> {
  await warmUp(environment);
  const idleQueriesPerSecond = await measureIdle(environment, db);
  const latencies = await measureLatencies(environment, effort.rounds);
  const assign = await countHistory(environment, addressWorkflowId(firstLane(environment).ip));
  const bare = await countHistory(environment, latencies.bareWorkflowId);
  const blocks = await measureBlocks(environment, db, effort, idleQueriesPerSecond);
  return { effort, ...latencies.summaries, ...blocks, history: { assign, bare }, idleQueriesPerSecond };
}

const WARM_UP_ROUNDS = 20;
const IDLE_MS = 5_000;

async function warmUp(environment: BenchEnvironment): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    await Promise.all(environment.lanes.map((lane) => operateNext(environment, lane)));
    await Promise.all(environment.lanes.map(() => runBare(environment, 'bareAssign')));
  }
}

async function measureIdle(environment: BenchEnvironment, db: Database): Promise<number> {
  const before = await readMeter(environment, db);
  await sleep(IDLE_MS);
  const after = await readMeter(environment, db);
  return ((after.mysqlQueries - before.mysqlQueries) * 1_000) / (after.at - before.at);
}

async function measureLatencies(environment: BenchEnvironment, rounds: number) {
  const lane = firstLane(environment);
  const accepted: number[] = [];
  const closed: number[] = [];
  const read: number[] = [];
  const bareStarted: number[] = [];
  const bareClosed: number[] = [];
  let bareWorkflowId = '';
  if (lane.assigned) await operate(environment, lane, 'unassign');
  for (let round = 0; round < rounds; round++) {
    const assign = await operate(environment, lane, 'assign');
    accepted.push(assign.accepted);
    closed.push(assign.closed);
    await operate(environment, lane, 'unassign');
    bareStarted.push((await runBare(environment, 'empty')).accepted);
    const bare = await runBare(environment, 'bareAssign');
    bareClosed.push(bare.closed);
    bareWorkflowId = bare.workflowId;
    read.push(await untilReadAsCompleted(environment, lane));
    await operate(environment, lane, 'unassign');
  }
  await operate(environment, lane, 'assign');
  return {
    bareWorkflowId,
    summaries: {
      accept: { assign: summarise(accepted), bareStart: summarise(bareStarted) },
      endToEnd: { assign: summarise(closed), readAsCompleted: summarise(read), bare: summarise(bareClosed) },
    },
  };
}

async function measureBlocks(
  environment: BenchEnvironment,
  db: Database,
  effort: Effort,
  idleQueriesPerSecond: number,
) {
  const lanes = environment.lanes.slice(0, effort.inFlight);
  const ours: Block[] = [];
  const bare: Block[] = [];
  for (let block = 0; block < effort.blocks; block++) {
    ours.push(
      await runBlock(environment, db, effort, (index) =>
        operateNext(environment, lanes[index] ?? firstLane(environment)),
      ),
    );
    bare.push(await runBlock(environment, db, effort, () => runBare(environment, 'bareAssign')));
  }
  return {
    throughput: { operations: median(ours.map(rate)), bare: median(bare.map(rate)) },
    costs: averageCosts(ours, idleQueriesPerSecond),
    bareCosts: averageCosts(bare, idleQueriesPerSecond),
  };
}

interface Block {
  operations: number;
  ms: number;
  before: Meter;
  after: Meter;
}

/** Keeps `inFlight` operations going for the length of a block; counts those that were over within it. */
async function runBlock(
  environment: BenchEnvironment,
  db: Database,
  { inFlight, blockMs }: Effort,
  run: (index: number) => Promise<unknown>,
): Promise<Block> {
  const before = await readMeter(environment, db);
  const begin = performance.now();
  let operations = 0;
  async function keepGoing(index: number): Promise<void> {
    while (performance.now() - begin < blockMs) {
      await run(index);
      operations += 1;
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, index) => keepGoing(index)));
  const ms = performance.now() - begin;
  return { operations, ms, before, after: await readMeter(environment, db) };
}

function rate({ operations, ms }: Block): number {
  return (operations * 1_000) / ms;
}

function averageCosts(blocks: Block[], idleQueriesPerSecond: number): Costs {
  const operations = sum(blocks.map((block) => block.operations));
  const used = blocks.map(({ before, after }) => usedBetween(before, after));
  return costsPerOperation(used, operations, idleQueriesPerSecond);
}

function firstLane({ lanes: [lane] }: BenchEnvironment): Lane {
  if (!lane) throw new Error('there is no lane');
  return lane;
}
