import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type Summary, summarise } from '../../kit/statistics.ts';
import { until } from '../../kit/until.ts';
import type { BenchClient } from '../http.ts';

/*
 * The customer who is measured: reads, reserves and assigns at an even pace, as one who does nothing unusual.
 */

/** What is measured. */
export const MEASURED = ['read', 'reserve', 'assign'] as const;
export type Measured = (typeof MEASURED)[number];

/** Milliseconds from the request to the end of its answer, and how many of the requests were not served. */
export interface Times extends Record<Measured, number[]> {
  failures: number;
}

/** The customer: a client with their token, the region, and a droplet in it. */
export interface Victim {
  api: BenchClient;
  region: string;
  dropletId: number;
}

/** Pause after each read, in milliseconds. */
const PACE_MS = 15;
const COMPLETION_MS = 30_000;

/** Collects times until `milliseconds` are over. A request that fails is counted, and its time too. */
export async function measureVictim(victim: Victim, milliseconds: number): Promise<Times> {
  const times = noTimes();
  const end = performance.now() + milliseconds;
  const isOver = () => performance.now() >= end;
  await Promise.all([
    (async () => {
      while (!isOver()) {
        await timed(times, 'read', () => read(victim)).catch(() => times.failures++);
        await sleep(PACE_MS);
      }
    })(),
    (async () => {
      while (!isOver()) {
        await goThroughLife(victim, times).catch(async () => {
          times.failures++;
          await giveEverythingBack(victim);
        });
      }
    })(),
  ]);
  return times;
}

/** No times yet. */
export function noTimes(): Times {
  return { read: [], reserve: [], assign: [], failures: 0 };
}

/** Adds the second times to the first. */
export function addTimes(to: Times, more: Times): void {
  for (const measured of MEASURED) to[measured].push(...more[measured]);
  to.failures += more.failures;
}

/** The middle and the slow end of each. */
export function summariseTimes(times: Times): Record<Measured, Summary> {
  return { read: summarise(times.read), reserve: summarise(times.reserve), assign: summarise(times.assign) };
}

async function timed<Result>(times: Times, measured: Measured, run: () => Promise<Result>): Promise<Result> {
  const begin = performance.now();
  try {
    return await run();
  } finally {
    times[measured].push(performance.now() - begin);
  }
}

const reservedSchema = z.object({ reserved_ip: z.object({ ip: z.string() }) });
const actionSchema = z.object({ action: z.object({ id: z.int(), status: z.string() }) });

function read({ api }: Victim): Promise<unknown> {
  return api.send({ method: 'GET', path: '/v2/reserved_ips', status: 200, schema: z.object({}) });
}

/** One address from its reservation to its release; the reserve and the assign are timed. */
async function goThroughLife({ api, region, dropletId }: Victim, times: Times): Promise<void> {
  const reserving = { method: 'POST', path: '/v2/reserved_ips', status: 202, schema: reservedSchema } as const;
  const { reserved_ip } = await timed(times, 'reserve', () => api.send(reserving, { region }));
  const path = `/v2/reserved_ips/${reserved_ip.ip}`;
  const change = async (body: unknown) => {
    const expected = { method: 'POST', path: `${path}/actions`, status: 201, schema: actionSchema } as const;
    return (await api.send(expected, body)).action.id;
  };
  await settled(api, path);
  await completed(api, await timed(times, 'assign', () => change({ type: 'assign', droplet_id: dropletId })));
  await completed(api, await change({ type: 'unassign' }));
  await api.send({ method: 'DELETE', path, status: 204, schema: z.undefined() });
}

const listSchema = z.object({ reserved_ips: z.array(z.object({ ip: z.string() })) });

/** After a failure: unassigns and releases what the customer holds, until nothing is left. */
async function giveEverythingBack({ api }: Victim): Promise<void> {
  await until(
    'the customer holds no address',
    async () => {
      const { text } = await api.exchange('GET', '/v2/reserved_ips');
      const held = listSchema.safeParse(JSON.parse(text)).data?.reserved_ips;
      for (const { ip } of held ?? []) {
        await api.exchange('POST', `/v2/reserved_ips/${ip}/actions`, { type: 'unassign' });
        await api.exchange('DELETE', `/v2/reserved_ips/${ip}`);
      }
      return held?.length === 0;
    },
    COMPLETION_MS,
  );
}

const showSchema = z.object({ reserved_ip: z.object({ locked: z.boolean() }) });

async function settled(api: BenchClient, path: string): Promise<void> {
  await until(
    `${path} has no pending event`,
    async () => !(await api.send({ method: 'GET', path, status: 200, schema: showSchema })).reserved_ip.locked,
    COMPLETION_MS,
  );
}

async function completed(api: BenchClient, action: number): Promise<void> {
  const expected = { method: 'GET', path: `/v2/actions/${action}`, status: 200, schema: actionSchema } as const;
  await until(
    `action ${action} is completed`,
    async () => (await api.send(expected)).action.status === 'completed',
    COMPLETION_MS,
  );
}
