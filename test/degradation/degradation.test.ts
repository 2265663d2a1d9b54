import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import { type Answer, Http } from '../../dev/kit/http.ts';
import { summarise } from '../../dev/kit/statistics.ts';
import { until } from '../../dev/kit/until.ts';
import { formatTable } from '../../ops/admin/table.ts';
import { checkConsistency } from '../../ops/consistency/check.ts';
import { useTopicReader } from '../support/billing-topic.ts';
import { type AcceptedOperation, isFailure, prepareLanes, type TimedRequest, Traffic } from '../support/traffic.ts';
import { createWorld, type World } from '../support/world.ts';
import {
  type Failure,
  type FragileEnvironment,
  type LoggedRequest,
  type Part,
  startFragileEnvironment,
} from './environment.ts';

/** How long everything works before, and how long a part is away, at least: each lasts until there is something to compare. */
const HEALTHY_MS = 2_000;
const OUTAGE_MS = 4_000;
const LEAST_REQUESTS = 3;
/** Below the shortest deadline that a request could run into, 1 s; above what the work of others on this machine does. */
const NOISE_MS = 500;
/**
 * What a worker spends to find out that Kafka is away. After that the length of the outage makes no difference any more:
 * events go to workflows of their own at once, in the next second as after an hour.
 */
const KAFKA_BUDGET_MS = 1_500;
/** What the API answers a request in while a server that it needs is away: from when it has taken it, strictly. */
const REJECTED_WITHIN_MS = 2_000;
const FAILURES: Failure[] = ['killed', 'silent'];

let environment: FragileEnvironment;
let world: World;
let account: Account;
let lanes: { ip: string; dropletId: number }[];
/** Of all outages. */
const completed: AcceptedOperation[] = [];
const table: string[][] = [];

beforeAll(async () => {
  environment = await startFragileEnvironment();
  world = await createWorld({ agents: 2, prefixLength: 21, apiUrl: environment.running.apiUrl });
  account = await world.account();
  const dropletIds = await world.droplets(account, 6);
  lanes = await prepareLanes(account, world.region, dropletIds);
}, 120_000);
afterAll(async () => {
  const headings = [
    'away',
    'how',
    'reads before',
    'during',
    'after',
    'writes before',
    'during',
    'after',
    'answers of writes during',
    'works again after',
  ];
  if (table.length > 0) console.log(`p50/p99 in ms\n${formatTable(headings, table)}`);
  await world?.close();
  await environment?.close();
}, 60_000);

/** What customers saw of one outage. */
interface Outage {
  reads: Periods;
  writes: Periods;
  /** Health endpoints while the part is away, with how long they took. */
  health: { live: Answer; ready: Answer; milliseconds: number };
  /** From the moment at which the part answers again to the first operation that was asked for then and is completed. */
  recoveredAfterMs: number;
  traffic: Traffic;
  /** Requests that the API took and answered while the part was away, as it logged them. */
  logged: LoggedRequest[];
}

interface Periods {
  before: TimedRequest[];
  /** Only what was answered before the part came back. */
  during: TimedRequest[];
  after: TimedRequest[];
}

/** Takes a part away under load and brings it back, and waits until every operation that was accepted has ended. */
async function outage(part: Part, failure: Failure): Promise<Outage> {
  const reserveIn = { region: world.region, everyMs: 100 };
  const traffic = new Traffic({
    account,
    urls: [environment.running.apiUrl],
    lanes,
    pauseMs: 200,
    readEveryMs: 25,
    reserveIn,
  });
  const startedAt = performance.now();
  const enough = (from: number) =>
    until(
      'customers have seen something',
      async () =>
        (['read', 'write'] as const).every(
          (kind) => answeredBetween(traffic, from, performance.now(), kind).length >= LEAST_REQUESTS,
        ),
      60_000,
    );
  await Promise.all([sleep(HEALTHY_MS), enough(startedAt)]);
  const takenAt = performance.now();
  const takenOn = Date.now();
  await environment.take(part, failure);
  const knownAt = takenAt + (part === 'kafka' ? KAFKA_BUDGET_MS : 0);
  await sleep(OUTAGE_MS / 2);
  const health = await lookAtHealth();
  await Promise.all([sleep(Math.max(0, takenAt + OUTAGE_MS - performance.now())), enough(knownAt)]);
  const returnsAt = performance.now();
  const returnsOn = Date.now();
  await environment.bringBack(part);
  const backAt = performance.now();
  const ended = await until(
    'an operation that was asked for afterwards is completed',
    async () => traffic.operations.find(({ acceptedAt, status }) => acceptedAt > backAt && status === 'completed'),
    60_000,
  );
  const worksAt = performance.now();
  await Promise.all([sleep(HEALTHY_MS), enough(worksAt)]);
  await traffic.stop();

  const periods = (kind: TimedRequest['kind']): Periods => ({
    before: answeredBetween(traffic, startedAt, takenAt, kind),
    during: answeredBetween(traffic, knownAt, returnsAt, kind),
    after: traffic.between(worksAt, Number.POSITIVE_INFINITY, kind),
  });
  const seen = {
    reads: periods('read'),
    writes: periods('write'),
    health,
    recoveredAfterMs: (ended.endedAt ?? worksAt) - backAt,
    traffic,
    logged: (await environment.loggedRequests()).filter(
      ({ time, milliseconds }) => time - milliseconds > takenOn && time < returnsOn,
    ),
  };
  completed.push(...traffic.operations);
  table.push(rowOf(part, failure, seen));
  return seen;
}

/** Requests of a period that were answered within it. */
function answeredBetween(traffic: Traffic, from: number, to: number, kind: TimedRequest['kind']): TimedRequest[] {
  return traffic.between(from, to, kind).filter(({ at, milliseconds }) => at + milliseconds < to);
}

async function lookAtHealth(): Promise<Outage['health']> {
  const http = new Http(environment.running.apiUrl, null);
  const startedAt = performance.now();
  const [live, ready] = await Promise.all([http.get('/healthz'), http.get('/readyz')]);
  return { live, ready, milliseconds: performance.now() - startedAt };
}

function rowOf(part: Part, failure: Failure, { reads, writes, recoveredAfterMs }: Outage): string[] {
  const times = (requests: TimedRequest[]) => {
    if (requests.length === 0) return '–';
    const { p50, p99 } = summarise(requests.map(({ milliseconds }) => milliseconds));
    return `${Math.round(p50)}/${Math.round(p99)}`;
  };
  const series = ({ before, during, after }: Periods) => [before, during, after].map(times);
  const statuses = Map.groupBy(writes.during, ({ status, problem }) => String(status ?? problem));
  const answers = [...statuses].map(([status, { length }]) => `${length} × ${status}`).join(', ');
  return [part, failure, ...series(reads), ...series(writes), answers, `${(recoveredAfterMs / 1_000).toFixed(1)} s`];
}

/** Everything was answered as on a good day, and as fast. */
function expectUndisturbed({ before, during, after }: Periods): void {
  expect(during.filter(isFailure)).toEqual([]);
  const healthy = summarise([...before, ...after].map(({ milliseconds }) => milliseconds));
  const { p50, p99 } = summarise(during.map(({ milliseconds }) => milliseconds));
  expect(p50, 'the median').toBeLessThan(2 * healthy.p50 + NOISE_MS);
  expect(p99, 'the slow end').toBeLessThan(2 * healthy.p99 + 2 * NOISE_MS);
}

/** Everything was rejected with the word to come again, in time. */
function expectRejected({ before, during, after }: Periods): void {
  // What this very machine takes for a request on which nothing has to be waited for.
  const slowness = Math.max(...[...before, ...after].map(({ milliseconds }) => milliseconds));
  for (const request of during) {
    expect(request).toMatchObject({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/) });
    expect(request.milliseconds).toBeLessThan(REJECTED_WITHIN_MS + slowness);
  }
}

/** Whatever the API rejected, it rejected in time; on its own clock, so that it is not about how busy this machine is. */
function expectRejectedInTime({ logged }: Outage): void {
  const rejected = logged.filter(({ status }) => status === 503);
  expect(rejected.length, 'requests that the API has rejected').toBeGreaterThanOrEqual(LEAST_REQUESTS);
  expect(rejected.filter(({ milliseconds }) => milliseconds >= REJECTED_WITHIN_MS)).toEqual([]);
}

/** Nothing that was accepted before, during or after is left over or has failed. */
function expectAllCompleted({ traffic }: Outage): void {
  expect(traffic.operations.filter(({ status }) => status !== 'completed')).toEqual([]);
}

describe.each([
  ['workers', 'requests are accepted, and carried through when workers are back'],
  ['kafka', 'customers do not notice'],
] as const)('%s that are away', (part, what) => {
  test.each(FAILURES)(
    `delay no answer when they are %s: ${what}`,
    async (failure) => {
      const seen = await outage(part, failure);
      expectUndisturbed(seen.reads);
      expectUndisturbed(seen.writes);
      expect(seen.health.ready.status).toBe(200);
      expectAllCompleted(seen);
    },
    240_000,
  );
});

describe.each(FAILURES)('Temporal that is %s', (failure) => {
  test('delays only the completion: everything is accepted, and completes when it is back', async () => {
    const seen = await outage('temporal', failure);
    expectUndisturbed(seen.reads);
    expectUndisturbed(seen.writes);
    expect(seen.health).toMatchObject({
      live: { status: 200 },
      ready: { status: 200, body: { status: 'degraded', checks: { mysql: 'ok' } } },
    });
    expect(seen.health.milliseconds).toBeLessThan(REJECTED_WITHIN_MS + 1_000);
    expectAllCompleted(seen);
  }, 240_000);
});

describe.each(FAILURES)('MySQL that is %s', (failure) => {
  test('has requests rejected in time, and everything goes on by itself', async () => {
    const seen = await outage('mysql', failure);
    expectRejected(seen.reads);
    expectRejected(seen.writes);
    expectRejectedInTime(seen);
    expect(seen.health).toMatchObject({
      live: { status: 200 },
      ready: { status: 503, body: { checks: { temporal: 'ok' } } },
    });
    expect(seen.health.milliseconds).toBeLessThan(REJECTED_WITHIN_MS + 1_000);
    expectAllCompleted(seen);
  }, 240_000);
});

test('after all of it every event has been delivered under one id, and no invariant is broken', async () => {
  const reader = await useTopicReader(environment.running.servers.kafkaBrokers);
  await until(
    'every event was on the topic',
    async () => {
      const published = new Set(reader.all.map(({ event }) => event.id));
      return completed.every(({ actionId }) => published.has(`action-${actionId}`));
    },
    60_000,
  );
  for (const [id, messages] of Map.groupBy(reader.all, ({ event }) => event.id)) {
    expect(new Set(messages.map(({ event }) => JSON.stringify(event))).size, `${id} says one thing`).toBe(1);
  }
  const { running } = environment;
  const [db, temporal] = [running.openDatabase(4), await running.openTemporal()];
  const kafka = { brokers: running.servers.kafkaBrokers.split(',') };
  const logger = pino({ level: 'silent' });
  // Hours are rebuilt from the topic, repeats dropped, and compared with the actions: what is doubled would show.
  const clean = async () => (await checkConsistency({ db, temporal, kafka, logger, looks: 1 })).length === 0;
  await until('the consistency check finds nothing', clean, 60_000);
}, 120_000);
