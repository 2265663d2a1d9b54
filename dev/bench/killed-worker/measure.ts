import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { addressWorkflowId } from '../../../domain/names.ts';
import { seededRandom } from '../../kit/random.ts';
import { type Summary, summarise } from '../../kit/statistics.ts';
import { until } from '../../kit/until.ts';
import { REGION } from '../environment.ts';
import type { KilledWorkerEnvironment } from './environment.ts';

/** A kill comes so long after the last of the operations was accepted, at most; in milliseconds. */
const LATEST_KILL_MS = 600;
const LOOK_MS = 10;
const COMPLETED_WITHIN_MS = 60_000;

/** How much is measured. */
export interface KilledWorkerEffort {
  kills: number;
  inFlight: number;
  seed: number;
}

/**
 * Where a worker is killed: while operations are in their first workflow task, where they wait for a second; or later,
 * when they wait in the activity that operators see, and the worker has their workflows in its cache.
 */
export const PHASES = ['first workflow task', 'visible wait'] as const;
export type Phase = (typeof PHASES)[number];

/** From a kill to the completion of each operation, in milliseconds; their host answers at the moment of the kill. */
export interface Kill {
  phase: Phase;
  /** Those that the killed worker held. */
  held: number[];
  /** Those that the other worker held. */
  others: number[];
}

/** Kills one of two workers again and again, in one phase and the other by turns: so often in each. */
export async function measureKilledWorkers(
  environment: KilledWorkerEnvironment,
  { kills, inFlight, seed }: KilledWorkerEffort,
): Promise<Kill[]> {
  const random = seededRandom(seed);
  const addresses: string[] = [];
  while (addresses.length < inFlight) addresses.push(await environment.account.reserve(REGION));
  const measured: Kill[] = [];
  for (let round = 0; measured.length < kills * PHASES.length; round++) {
    const phase = PHASES[Math.floor(round / 2) % PHASES.length] ?? PHASES[0];
    const operations = await Promise.all(
      addresses.map(async (address, index) => {
        const { account, droplets } = environment;
        if (round % 2 !== 0) return { address, kind: 'unassign', ...(await account.startUnassign(address)) };
        return { address, kind: 'assign', ...(await account.startAssign(address, droplets[index] ?? 0)) };
      }),
    );
    await sleep(random.below(LATEST_KILL_MS));
    const kill = await killOne(environment, operations, phase);
    // On a busy machine the first task may be over before the kill.
    if (kill.held.length > 0) measured.push(kill);
  }
  return measured;
}

interface WaitingOperation {
  address: string;
  /** The type of its workflow. */
  kind: string;
  /** Number of its action. */
  id: number;
}

async function killOne(
  environment: KilledWorkerEnvironment,
  operations: WaitingOperation[],
  phase: Phase,
): Promise<Kill> {
  const { host, temporal } = environment;
  const read = () => holdersOf(temporal, operations, environment.workers(), phase);
  const before = await until(`every operation has come to its ${phase}`, async () => {
    const found = await read();
    return found.every((holder) => holder !== 'nobody yet') ? found : null;
  });
  const events = await host.openCommands();
  const names = [...environment.workers().values()];
  const [victim] = names.sort((left, right) => count(before, right) - count(before, left));
  if (victim === undefined) throw new Error('there is no worker');
  const killedAt = performance.now();
  await environment.kill(victim);
  const holders = await read();
  await Promise.all(events.map((event) => host.acknowledge(event)));
  const delays = await completions(environment, operations, killedAt);
  await environment.bringUp(victim);
  return {
    phase,
    held: delays.filter((_, index) => holders[index] === victim),
    others: delays.filter((_, index) => holders[index] !== victim && holders[index] !== 'too late'),
  };
}

function count(holders: string[], name: string): number {
  return holders.filter((holder) => holder === name).length;
}

/** Which worker holds each operation in a phase. */
function holdersOf(
  temporal: Client,
  operations: WaitingOperation[],
  workers: Map<string, string>,
  phase: Phase,
): Promise<(string | 'nobody yet' | 'too late')[]> {
  return Promise.all(
    operations.map(async ({ address, kind }) => {
      const handle = temporal.workflow.getHandle(addressWorkflowId(address));
      const events = (await handle.fetchHistory().catch(() => null))?.events ?? [];
      // The newest run may still be that of the operation before.
      if (events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name !== kind) return 'nobody yet';
      const completed = events.find((event) => event.workflowTaskCompletedEventAttributes);
      if (phase === 'first workflow task' && completed) return 'too late';
      const event =
        phase === 'first workflow task' ? events.find((one) => one.workflowTaskStartedEventAttributes) : completed;
      const attributes = event?.workflowTaskStartedEventAttributes ?? event?.workflowTaskCompletedEventAttributes;
      const [pid = ''] = attributes?.identity?.split('@') ?? [];
      return workers.get(pid) ?? 'nobody yet';
    }),
  );
}

/** When each operation was seen to have completed, in milliseconds after `since`. */
async function completions(
  { db }: KilledWorkerEnvironment,
  operations: WaitingOperation[],
  since: number,
): Promise<number[]> {
  const seen = new Map<number, number>();
  const deadline = since + COMPLETED_WITHIN_MS;
  const ids = operations.map(({ id }) => id);
  while (seen.size < ids.length) {
    if (performance.now() > deadline) throw new Error(`${ids.length - seen.size} operations have not completed`);
    await sleep(LOOK_MS);
    const rows = await db.selectFrom('actions').select(['id', 'status']).where('id', 'in', ids).execute();
    const now = performance.now() - since;
    for (const { id, status } of rows) {
      if (status === 'errored') throw new Error(`action ${id} errored`);
      if (status === 'completed' && !seen.has(id)) seen.set(id, now);
    }
  }
  return ids.map((id) => seen.get(id) ?? 0);
}

/** Null where there were none. */
export type Delays = (Summary & { max: number }) | null;

/** The delays of all kills of a phase: of what the killed workers held, and of the rest. */
export function summariseKills(kills: Kill[], phase: Phase): Record<'held' | 'others', Delays> {
  const ofPhase = kills.filter((kill) => kill.phase === phase);
  return {
    held: delaysOf(ofPhase.flatMap((kill) => kill.held)),
    others: delaysOf(ofPhase.flatMap((kill) => kill.others)),
  };
}

function delaysOf(times: number[]): Delays {
  return times.length === 0 ? null : { ...summarise(times), max: Math.max(...times) };
}
