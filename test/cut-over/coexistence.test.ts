import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { beforeAll, expect, inject, test } from 'vitest';
import { readBillingEvents } from '../../billing/consume.ts';
import type { Database } from '../../db/database.ts';
import { type Told, toldBy } from '../../dev/demo/cut-over/clients/record.ts';
import { type Account, readAction } from '../../dev/kit/account.ts';
import { type SeededRandom, seededRandom } from '../../dev/kit/random.ts';
import { sum } from '../../dev/kit/statistics.ts';
import { until } from '../../dev/kit/until.ts';
import { billingEventId } from '../../domain/names.ts';
import { CODE_PATHS } from '../../edge/code-paths.ts';
import { checkConsistency } from '../../ops/consistency/check.ts';
import { describeViolation } from '../../ops/consistency/violation.ts';
import { changeFlags, type TestGateway, useFlagFile, useGateway } from '../support/gateway.ts';
import { useLegacy } from '../support/legacy.ts';
import { collecting, requestsIn } from '../support/log-lines.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer } from '../support/reserved.ts';
import { useWorld, type World } from '../support/world.ts';
import { Customer } from './customer.ts';

const SEED = 20_261_125;
const CHANGES = 2_000;
const CUSTOMERS = 10;
/** Pairs of changes that meet on one address, one on each upstream. */
const PAIRS = 150;

const silent = pino({ level: 'silent' });
const apiLog: string[] = [];
let environment: PrivateEnvironment;
let db: Database;
beforeAll(async () => {
  // A database of its own, because the whole of it is checked.
  environment = await createPrivateEnvironment({
    worker: true,
    ownDatabase: true,
    logger: pino({ level: 'info' }, collecting(apiLog)),
    settings: { QUARANTINE_SECONDS: '1' },
  });
  ({ db } = environment);
  return environment.close;
});

test(`${CHANGES} changes through two gateways whose flags flip at random are neither lost nor doubled`, async () => {
  const legacyLog: string[] = [];
  const legacyUrl = await useLegacy({
    mysqlUrl: environment.mysqlUrl,
    logger: pino({ level: 'info' }, collecting(legacyLog)),
  });
  const flagFile = await useFlagFile();
  const gateways = await Promise.all([1, 2].map(() => openGateway(legacyUrl, flagFile)));
  const random = seededRandom(SEED);
  const { customers, worlds } = await populate(gateways, random);
  const before = await completedActions();

  const flipping = new AbortController();
  const flips = flipAtRandom(gateways[0], flagFile, random, flipping.signal);
  const changesOf = () => sum(customers.map((customer) => customer.changes));
  await Promise.all(
    customers.map(async (customer) => {
      while (changesOf() < CHANGES) await customer.step();
    }),
  ).finally(() => flipping.abort());
  const flipped = await flips;

  const accepted = toldBy((type) => sum(customers.map((customer) => customer.accepted[type])));
  await until('every action ended', async () => (await openActions()) === 0);
  const after = await completedActions();
  expect(toldBy((type) => after[type] - before[type])).toEqual(accepted);
  const [byLegacy, byApi] = [requestsIn(legacyLog), requestsIn(apiLog)];
  const sent = new Set(customers.flatMap((customer) => customer.sent));
  const received = [...byLegacy, ...byApi].filter((id) => sent.has(id));
  expect(received).toHaveLength(sent.size);
  expect(new Set(received).size).toBe(sent.size);
  for (const { held } of customers) if (held) await answersOn(worlds, held.ip, held.dropletId === null ? 0 : 1);
  expect(await violations()).toEqual([]);
  expect(await unbilledActions()).toEqual([]);
  const share = Math.round((byLegacy.filter((id) => sent.has(id)).length / sent.size) * 100);
  expect(share).toBeGreaterThan(20);
  expect(share).toBeLessThan(80);
  console.log(`${changesOf()} changes, ${sent.size} requests, ${share} % of them on legacy, ${flipped} flips`);
}, 400_000);

test(`of ${PAIRS} pairs of changes that meet on an address, one on each upstream, nothing that the new upstream did is lost`, async () => {
  const legacyUrl = await useLegacy({ mysqlUrl: environment.mysqlUrl });
  const flagFile = await useFlagFile();
  const gateway = await openGateway(legacyUrl, flagFile);
  const random = seededRandom(SEED);
  const world = await useWorld({ agents: 3, apiUrl: environment.apiUrl });
  const owner = await world.account();
  const account = owner.at(gateway.url);
  const droplets = await world.droplets(owner, 4);
  const ip = await account.reserve(world.region);
  const outcomes = new Map<string, number>();

  for (let pair = 0; pair < PAIRS; pair++) {
    const legacyResourceName = pair % 20 < 10 ? 'reserved_ips' : 'floating_ips';
    if (pair % 10 === 0) await changeFlags(gateway, flagFile, 'all', { percent: 100 });
    if (pair % 10 === 0) {
      for (const path of ['assign', 'unassign']) {
        await changeFlags(gateway, flagFile, `${legacyResourceName}.${path}`, { percent: 0 });
      }
    }
    const [onLegacy, onNew] = await Promise.all(
      (['legacy', 'new'] as const).map((side) => {
        const resourceName =
          (side === 'legacy') === (legacyResourceName === 'reserved_ips') ? 'reserved_ips' : 'floating_ips';
        return change(account, resourceName, ip, random.below(3) === 0 ? null : random.from(droplets));
      }),
    );
    if (!onLegacy || !onNew) throw new Error('two changes were sent');
    for (const { answer } of [onLegacy, onNew]) {
      if (answer.status === 201) await owner.completed(readAction(answer));
    }
    const statuses = `legacy ${onLegacy.answer.status}, new ${onNew.answer.status}`;
    outcomes.set(statuses, (outcomes.get(statuses) ?? 0) + 1);
    expect([201, 422], onNew.answer.text).toContain(onNew.answer.status);
    // A legacy request that comes too late fails, which it has no better word for.
    expect([201, 422, 500], onLegacy.answer.text).toContain(onLegacy.answer.status);
    const done = [onLegacy, onNew].filter(({ answer }) => answer.status === 201).map(({ dropletId }) => dropletId);
    const { droplet, locked } = await owner.show(ip);
    expect(locked).toBe(false);
    if (done.length > 0) expect(done).toContain(droplet?.id ?? null);
    await answersOn([world], ip, droplet === null ? 0 : 1);
  }

  expect(await violations()).toEqual([]);
  expect(outcomes.get('legacy 500, new 201'), 'none met').toBeGreaterThan(0);
  console.log([...outcomes].map(([statuses, count]) => `${count} × ${statuses}`).join('; '));
}, 200_000);

function openGateway(legacyUrl: string, flagFile: string): Promise<TestGateway> {
  const { apiUrl, mysqlUrl } = environment;
  return useGateway({ legacyUrl, apiUrl, mysqlUrl, flagFile, defaultUpstream: 'new' });
}

/** Each customer has a region of its own: the stand-in gives one address to two who ask at the same moment. */
async function populate(gateways: TestGateway[], random: SeededRandom) {
  const worlds: World[] = [];
  const customers: Customer[] = [];
  for (let number = 0; number < CUSTOMERS; number++) {
    const { world, account, droplets } = await useCustomer({ agents: 2, apiUrl: environment.apiUrl, droplets: 3 });
    const url = random.from(gateways).url;
    customers.push(new Customer(account.at(url), { droplets, region: world.region, random }));
    worlds.push(world);
  }
  return { customers, worlds };
}

/** Sends code paths to the one upstream, to the other, or a share of the users to each; answers how often. */
async function flipAtRandom(
  gateway: TestGateway | undefined,
  flagFile: string,
  random: SeededRandom,
  signal: AbortSignal,
): Promise<number> {
  if (!gateway) throw new Error('no gateway');
  let flips = 0;
  for (; !signal.aborted; flips++) {
    const path = random.below(8) === 0 ? 'all' : random.from(CODE_PATHS);
    // A little more each time, since a file that stays as it was is not taken over.
    await changeFlags(gateway, flagFile, path, { percent: random.from([0, 25, 50, 75, 99]) + (flips % 100) / 100 });
    await sleep(random.below(100), null, { signal }).catch(() => {});
  }
  return flips;
}

async function change(account: Account, resourceName: string, ip: string, dropletId: number | null) {
  const body = dropletId === null ? { type: 'unassign' } : { type: 'assign', droplet_id: dropletId };
  return { dropletId, answer: await account.http.post(`/v2/${resourceName}/${ip}/actions`, body) };
}

async function violations(): Promise<string[]> {
  const kafka = { brokers: inject('environment').kafkaBrokers.split(',') };
  const found = await checkConsistency({ db, temporal: environment.temporal, kafka, logger: silent, looks: 6 });
  // The topic is shared with other databases; what it says of this one's actions is looked at.
  const ids = new Set((await db.selectFrom('actions').select('id').execute()).map(({ id }) => billingEventId(id)));
  return found.filter(({ subject }) => !subject.startsWith('action-') || ids.has(subject)).map(describeViolation);
}

/** Actions of either upstream that billing has not heard of. */
async function unbilledActions(): Promise<number[]> {
  const { changes } = await readBillingEvents({
    brokers: inject('environment').kafkaBrokers.split(','),
    logger: silent,
  });
  const published = new Set(changes.map(({ eventId }) => eventId));
  const actions = await db
    .selectFrom('actions')
    .select('id')
    .where('status', '=', 'completed')
    .where('address_id', 'is not', null)
    .execute();
  return actions.map(({ id }) => id).filter((id) => !published.has(billingEventId(id)));
}

/** How many actions on addresses are completed, by type. */
async function completedActions(): Promise<Told> {
  const rows = await db
    .selectFrom('actions')
    .select(({ fn }) => ['type', fn.countAll<number>().as('count')])
    .where('status', '=', 'completed')
    .where('address_id', 'is not', null)
    .groupBy('type')
    .execute();
  return toldBy((type) => Number(rows.find((row) => row.type === type)?.count ?? 0));
}

async function openActions(): Promise<number> {
  const { count } = await db
    .selectFrom('actions')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('status', '=', 'in-progress')
    .executeTakeFirstOrThrow();
  return count;
}

/** Legacy says that a move is completed before the host that was left has answered, so there may be two for a moment. */
function answersOn(worlds: World[], ip: string, hosts: 0 | 1): Promise<unknown> {
  return until(`${ip} answered on exactly ${hosts} hosts`, async () => holdersOf(worlds, ip) === hosts);
}

/** On how many hosts an address answers. */
function holdersOf(worlds: World[], ip: string): number {
  return worlds.flatMap(({ agents }) => agents).filter(({ driver }) => driver.attachments.has(ip)).length;
}
