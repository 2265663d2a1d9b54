import { randomUUID } from 'node:crypto';
import { expect, inject, test } from 'vitest';
import { z } from 'zod';
import { type Account, readIpv6Address } from '../../dev/kit/account.ts';
import { type Answer, expectAnswer } from '../../dev/kit/http.ts';
import { type SeededRandom, seededRandom } from '../../dev/kit/random.ts';
import { until } from '../../dev/kit/until.ts';
import { ipVersionOf } from '../../domain/address.ts';
import { SimulatedDriver } from '../../host/drivers/simulated.ts';
import { startAgent } from '../support/agents.ts';
import { checkAccounts } from '../support/consistency.ts';
import { useDatabase } from '../support/database.ts';
import { useTemporal } from '../support/temporal.ts';
import { useWorld, type World } from '../support/world.ts';

const SEED = 20_260_801;
const OPERATIONS = 600;
const LANES = 8;
const ACCOUNTS = 4;
const HOSTS = 3;

/** One customer and what it has, with some of what it had before: what is gone is asked for as well. */
interface Customer {
  account: Account;
  ips: string[];
  ipv6s: string[];
  droplets: number[];
}

/** An operation, and what its answer may be: of each status the pattern of its message, null where there is none. */
interface Step {
  name: string;
  send(): Promise<Answer>;
  allowed: Record<number, RegExp | null>;
  /** Takes in what the operation has made or taken away. */
  done?(answer: Answer): void;
}

const NOT_FOUND = /could not be found/;
const ADDRESS_PENDING = 'IP(v6)? already has a pending event';
const DROPLET_PENDING = 'Droplet already has a pending event';
const NO_PLACE = 'limit of reserved IP(v6)?s|no reserved IP(v6)? available';
const OCCUPIED = 'Droplet already has a reserved IP(v6)?';

const reserved = z.object({ reserved_ip: z.object({ ip: z.string() }) });
const created = z.object({ droplet: z.object({ id: z.int() }) });

function nextStep(random: SeededRandom, world: World, customers: Customer[]): Step {
  const customer = random.from(customers);
  const { ips, ipv6s, droplets } = customer;
  const account = random.below(2) === 0 ? customer.account : customer.account.at(inject('environment').secondApiUrl);
  const { http } = account;
  const headers: Record<string, string> = random.below(4) === 0 ? { 'idempotency-key': randomUUID() } : {};
  const ip = random.from([...ips, '192.0.2.1']);
  const ipv6 = random.from([...ipv6s, '2001:db8::1']);
  const droplet = random.from([...droplets, 1]);
  const other = random.from(customers.filter((one) => one !== customer));
  const keep = (answer: Answer) => void ips.push(reserved.parse(answer.body).reserved_ip.ip);

  const forgets = random.below(10) > 0;
  const forget = <Item>(items: Item[], item: Item) => {
    if (forgets && items.includes(item)) items.splice(items.indexOf(item), 1);
  };

  const steps: Step[] = [];
  /** Takes a step up, `weight` times as often as one of weight 1. */
  const may = (weight: number, name: string, send: Step['send'], allowed: Step['allowed'], done?: Step['done']) =>
    steps.push(...Array<Step>(weight).fill({ name, send, allowed, ...(done && { done }) }));
  const assigned = {
    201: null,
    404: NOT_FOUND,
    422: oneOf(ADDRESS_PENDING, DROPLET_PENDING, OCCUPIED, 'already assigned'),
  };
  const unassigned = { 201: null, 404: NOT_FOUND, 422: oneOf(ADDRESS_PENDING, 'not assigned') };
  const released = { 204: null, 404: NOT_FOUND, 422: oneOf(ADDRESS_PENDING) };
  const reserve = (body: unknown) => () => http.post('/v2/reserved_ips', body, { headers });
  const reserveIpv6 = () => http.post('/v2/reserved_ipv6', { region_slug: world.region }, { headers });
  const keepIpv6 = (answer: Answer) => void ipv6s.push(readIpv6Address(answer));
  const noneLeft = { 202: null, 404: NOT_FOUND, 422: oneOf(NO_PLACE, DROPLET_PENDING, OCCUPIED) };
  const makeDroplet = () => http.post('/v2/droplets', dropletForm(world), { headers });
  const keepDroplet = (answer: Answer) => void droplets.push(created.parse(answer.body).droplet.id);
  const destroyed = { 204: null, 404: NOT_FOUND, 422: oneOf(DROPLET_PENDING) };

  may(1, 'reserve in the region', reserve({ region: world.region }), { 202: null, 422: oneOf(NO_PLACE) }, keep);
  may(1, `reserve for droplet ${droplet}`, reserve({ droplet_id: droplet }), noneLeft, keep);
  may(9, `assign ${ip} to droplet ${droplet}`, () => account.requestAssign(ip, droplet, headers), assigned);
  may(1, 'reserve an IPv6 address in the region', reserveIpv6, { 201: null, 422: oneOf(NO_PLACE) }, keepIpv6);
  may(4, `assign ${ipv6} to droplet ${droplet}`, () => account.requestAssign(ipv6, droplet, headers), assigned);
  may(2, `unassign ${ipv6}`, () => account.requestUnassign(ipv6), unassigned);
  const releasedIpv6 = { ...released, 400: /is assigned to a Droplet/ };
  may(
    1,
    `release ${ipv6}`,
    () => account.requestRelease(ipv6),
    releasedIpv6,
    () => forget(ipv6s, ipv6),
  );
  may(6, `unassign ${ip}`, () => account.requestUnassign(ip), unassigned);
  may(
    1,
    `release ${ip}`,
    () => account.requestRelease(ip),
    released,
    () => forget(ips, ip),
  );
  may(1, 'make a droplet', makeDroplet, { 202: null, 422: /Droplet limit/ }, keepDroplet);
  const destroy = () => http.delete(`/v2/droplets/${droplet}`);
  may(1, `destroy droplet ${droplet}`, destroy, destroyed, () => forget(droplets, droplet));
  const assignToOther = () => account.requestAssign(ip, random.from([...other.droplets, 1]));
  may(1, `assign ${ip} to another account’s droplet`, assignToOther, { 404: NOT_FOUND });
  const releaseOther = () => account.requestRelease(random.from([...other.ips, '192.0.2.1']));
  // An address that is given back may come to anybody next.
  may(1, 'release another account’s address', releaseOther, released);
  may(1, `look at ${ip}`, () => http.get(`/v2/reserved_ips/${ip}`), { 200: null, 404: NOT_FOUND });
  may(1, 'list', () => http.get('/v2/reserved_ips?per_page=200'), { 200: null });
  return random.from(steps);
}

function oneOf(...texts: string[]): RegExp {
  return new RegExp(texts.join('|'));
}

function dropletForm({ region }: World) {
  return { name: 'mixed', region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
}

function complaintAbout({ name, allowed }: Step, { status, text, body, headers }: Answer): string | null {
  const complaint = `${name}: ${status} ${text}`;
  // On a machine that is busy with other things, too, servers may be slow for once; the test counts how often.
  if (status === 503) return headers.has('retry-after') ? null : complaint;
  if (!(status in allowed)) return complaint;
  const pattern = allowed[status];
  if (!pattern) return null;
  const error = z.object({ message: z.string(), request_id: z.string() }).safeParse(body);
  return error.success && pattern.test(error.data.message) ? null : complaint;
}

async function allActionsEnded({ http }: Account): Promise<boolean> {
  const actions = z.object({ actions: z.array(z.object({ status: z.string() })), meta: z.object({ total: z.int() }) });
  for (let page = 1; ; page++) {
    const answer = await http.get(`/v2/actions?per_page=200&page=${page}`);
    const { actions: found, meta } = expectAnswer(answer, 200, actions);
    if (found.some(({ status }) => status === 'in-progress')) return false;
    if (page * 200 >= meta.total) return true;
  }
}

interface Assignment {
  address: string;
  dropletId: number;
}

const assignmentSchema = z
  .object({ ip: z.string(), locked: z.literal(false).optional(), droplet: z.object({ id: z.int() }).nullable() })
  .transform(({ ip, droplet }): Assignment[] => (droplet ? [{ address: ip, dropletId: droplet.id }] : []));
const assignmentsSchema = z.union([
  z.object({ reserved_ips: z.array(assignmentSchema) }).transform((body) => body.reserved_ips.flat()),
  z.object({ reserved_ipv6s: z.array(assignmentSchema) }).transform((body) => body.reserved_ipv6s.flat()),
]);

/** Every assignment, as the accounts see them. */
async function assignments(customers: Customer[]): Promise<Assignment[]> {
  const lists = await Promise.all(
    customers.flatMap(({ account }) =>
      ['/v2/reserved_ips', '/v2/reserved_ipv6'].map(async (path) =>
        expectAnswer(await account.http.get(`${path}?per_page=200`), 200, assignmentsSchema),
      ),
    ),
  );
  return lists.flat().sort(byAddress);
}

function byAddress(left: Assignment, right: Assignment): number {
  return left.address < right.address ? -1 : 1;
}

test(`${OPERATIONS} operations of ${ACCOUNTS} accounts, ${LANES} at a time, all mixed up, break no invariant`, {
  timeout: 240_000,
}, async () => {
  const world = await useWorld({ agents: 0, prefixLength: 27, ipv6PrefixLength: 123 });
  const drivers = Array.from({ length: HOSTS }, () => new SimulatedDriver({ delayMs: 15, failureProbability: 0.05 }));
  for (const [number, driver] of drivers.entries()) {
    const token = await world.registerHost(`${world.region}-${number}`);
    startAgent({ apiUrl: world.admin.baseUrl, token, driver, reconcileIntervalMs: 2_000 });
  }
  const customers = await Promise.all(
    Array.from({ length: ACCOUNTS }, async (): Promise<Customer> => {
      const account = await world.account({ reservedIpLimit: 5, dropletLimit: 9 });
      return {
        account,
        ips: [await account.reserve(world.region)],
        ipv6s: [await account.reserveIpv6(world.region)],
        droplets: await world.droplets(account, 7),
      };
    }),
  );
  const random = seededRandom(SEED);
  const complaints: string[] = [];
  const statuses = new Map<number, number>();
  let left = OPERATIONS;

  async function lane(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const step = nextStep(random, world, customers);
      const answer = await step.send();
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const complaint = complaintAbout(step, answer);
      if (complaint) complaints.push(complaint);
      if ([201, 202, 204].includes(answer.status)) step.done?.(answer);
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane));

  expect(complaints).toEqual([]);
  expect(statuses.get(503) ?? 0).toBeLessThan(OPERATIONS / 20);
  const count = (...wanted: number[]) => wanted.reduce((sum, status) => sum + (statuses.get(status) ?? 0), 0);
  expect(count(201, 202, 204), 'a good part of it did something').toBeGreaterThan(OPERATIONS / 10);
  expect(count(422), 'a good part of it was in each other’s way').toBeGreaterThan(OPERATIONS / 20);

  for (const driver of drivers) driver.failureProbability = 0;
  for (const { account } of customers) {
    await until('every action had ended', () => allActionsEnded(account), 60_000);
  }
  const assigned = await assignments(customers);
  const places = assigned.map(({ address, dropletId }) => `${ipVersionOf(address)} ${dropletId}`);
  expect(new Set(places).size, 'no droplet has two addresses of an IP version').toBe(assigned.length);
  const attached = async () =>
    (await Promise.all(drivers.map((driver) => driver.list())))
      .flatMap((list) => list.map(({ address, dropletId }) => ({ address, dropletId })))
      .sort(byAddress);
  await expect.poll(attached, { timeout: 20_000 }).toEqual(assigned);

  const accounts = customers.map(({ account }) => account);
  expect(await checkAccounts(useDatabase(), await useTemporal(), accounts)).toEqual([]);
});
