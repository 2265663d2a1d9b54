import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { addressWorkflowId } from '../../domain/names.ts';
import { REGION } from '../../test/faults/population.ts';
import { readAction, readAddress } from '../../test/support/account.ts';
import { seededRandom } from '../../test/support/random.ts';
import { until } from '../../test/support/until.ts';
import { type Summary, summarise } from '../percentiles.ts';
import type { KilledWorkerStack } from './stack.ts';

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

/** From a kill to the completion of each operation, in milliseconds; their host answers at the moment of the kill. */
export interface Kill {
  /** Those that the killed worker held in their first workflow task. */
  held: number[];
  /** Those that the other worker held, or nobody yet. */
  others: number[];
}

/** Kills one of two workers again and again, each time while it holds operations in their first workflow task. */
export async function measureKilledWorkers(
  stack: KilledWorkerStack,
  { kills, inFlight, seed }: KilledWorkerEffort,
): Promise<Kill[]> {
  const random = seededRandom(seed);
  const addresses: string[] = [];
  while (addresses.length < inFlight) {
    addresses.push(readAddress(await stack.http.post('/v2/reserved_ips', { region: REGION })));
  }
  const measured: Kill[] = [];
  for (let round = 0; measured.length < kills; round++) {
    const operations = await Promise.all(
      addresses.map(async (address, index) => {
        const droplet = stack.account.droplets[index];
        const kind = round % 2 === 0 ? 'assign' : 'unassign';
        const body = { type: kind, ...(kind === 'assign' && { droplet_id: droplet }) };
        return { address, kind, ...readAction(await stack.http.post(`/v2/reserved_ips/${address}/actions`, body)) };
      }),
    );
    await sleep(random.below(LATEST_KILL_MS));
    measured.push(await killOne(stack, operations));
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

async function killOne(stack: KilledWorkerStack, operations: WaitingOperation[]): Promise<Kill> {
  const { host, temporal } = stack;
  const before = await until('every operation has begun', async () => {
    const found = await firstTasks(temporal, operations, stack.workers());
    return found.every((task) => task !== 'not begun') ? found : null;
  });
  const events = await host.openEvents();
  const names = [...stack.workers().values()];
  const [victim] = names.sort((left, right) => count(before, right) - count(before, left));
  if (victim === undefined) throw new Error('there is no worker');
  const killedAt = performance.now();
  await stack.kill(victim);
  const held = await firstTasks(temporal, operations, stack.workers());
  await Promise.all(events.map((event) => host.acknowledge(event)));
  const delays = await completions(stack, operations, killedAt);
  await stack.bringUp(victim);
  return {
    held: delays.filter((_, index) => held[index] === victim),
    others: delays.filter((_, index) => held[index] !== victim),
  };
}

function count(holders: string[], name: string): number {
  return holders.filter((holder) => holder === name).length;
}

/** Which worker has the first workflow task of each operation. */
function firstTasks(
  temporal: Client,
  operations: WaitingOperation[],
  workers: Map<string, string>,
): Promise<(string | 'not begun' | 'completed')[]> {
  return Promise.all(operations.map((operation) => firstTask(temporal, operation, workers)));
}

async function firstTask(
  temporal: Client,
  { address, kind }: WaitingOperation,
  workers: Map<string, string>,
): Promise<string | 'not begun' | 'completed'> {
  const history = await temporal.workflow
    .getHandle(addressWorkflowId(address))
    .fetchHistory()
    .catch(() => null);
  const events = history?.events ?? [];
  // The newest run may still be that of the operation before.
  if (events[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name !== kind) return 'not begun';
  if (events.some(({ workflowTaskCompletedEventAttributes: completed }) => completed)) return 'completed';
  const started = events.find((event) => event.workflowTaskStartedEventAttributes)?.workflowTaskStartedEventAttributes;
  const [pid = ''] = started?.identity?.split('@') ?? [];
  return workers.get(pid) ?? 'not begun';
}

/** When each operation was seen to have completed, in milliseconds after `since`. */
async function completions(
  { db }: KilledWorkerStack,
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

/** The delays of all kills: of what the killed workers held, and of the rest. */
export function summariseKills(kills: Kill[]): Record<'held' | 'others', Summary & { max: number }> {
  const held = kills.flatMap((kill) => kill.held);
  const others = kills.flatMap((kill) => kill.others);
  return {
    held: { ...summarise(held), max: Math.max(...held) },
    others: { ...summarise(others), max: Math.max(...others) },
  };
}
