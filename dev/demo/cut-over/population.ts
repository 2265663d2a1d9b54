import { z } from 'zod';
import { expectStatus } from '../../environment/http.ts';

const HOSTS_PER_REGION = 2;
const DROPLETS = 3;
/** Customers who are made at the same time. */
const AT_A_TIME = 8;
const NO_LIMIT = 10_000_000;

const accountAnswer = z.object({ account: z.object({ id: z.int() }) });
const tokenAnswer = z.object({ token: z.string() });
const dropletAnswer = z.object({ droplet: z.object({ id: z.int() }) });

/** A customer, with a region of their own. */
export interface MadeCustomer {
  accountId: number;
  token: string;
  region: string;
  droplets: number[];
}

/** Everybody who takes part. */
export interface Population {
  customers: MadeCustomer[];
  /** Hosts with the tokens of their agents. */
  hosts: { name: string; token: string }[];
}

/**
 * Makes customers as an operator does, by the admin API. Each has a region with a pool and two hosts of its own, because the
 * stand-in gives one address to two who ask at the same moment. Throws when the API rejects.
 */
export async function populate(apiUrl: string, adminToken: string, count: number): Promise<Population> {
  const population: Population = { customers: [], hosts: [] };
  for (let first = 0; first < count; first += AT_A_TIME) {
    const numbers = Array.from({ length: Math.min(AT_A_TIME, count - first) }, (_, index) => first + index);
    for (const made of await Promise.all(numbers.map((number) => makeOne(apiUrl, adminToken, number)))) {
      population.customers.push(made.customer);
      population.hosts.push(...made.hosts);
    }
  }
  return population;
}

async function makeOne(apiUrl: string, adminToken: string, number: number) {
  const admin = async (method: 'PUT' | 'POST', path: string, status: number, body?: unknown) =>
    (await expectStatus({ method, url: `${apiUrl}/internal/v1${path}`, token: adminToken, body }, status)).body;
  const region = `region-${number + 1}`;
  await admin('PUT', `/regions/${region}`, 200, { name: `Region ${number + 1}` });
  await admin('POST', '/pools', 201, { region, cidr: `198.18.${number >> 3}.${(number & 7) * 32}/27` });
  const hosts = [];
  for (let host = 1; host <= HOSTS_PER_REGION; host++) {
    const name = `${region}-host-${host}`;
    await admin('PUT', `/hosts/${name}`, 200, { region, anchor_cidr: '10.17.0.0/16' });
    hosts.push({ name, ...tokenAnswer.parse(await admin('POST', `/hosts/${name}/tokens`, 201)) });
  }
  const limits = { reserved_ip_limit: 10, droplet_limit: 10 };
  const form = { name: region, email: `${region}@example.com`, ...limits };
  const accountId = accountAnswer.parse(await admin('POST', '/accounts', 201, form)).account.id;
  const rates = { name: 'demo', requests_per_minute: NO_LIMIT, requests_per_hour: NO_LIMIT };
  const { token } = tokenAnswer.parse(await admin('POST', `/accounts/${accountId}/tokens`, 201, rates));
  const droplets: number[] = [];
  while (droplets.length < DROPLETS) {
    const body = { name: 'web', region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    const answer = await expectStatus({ method: 'POST', url: `${apiUrl}/v2/droplets`, token, body }, 202);
    droplets.push(dropletAnswer.parse(answer.body).droplet.id);
  }
  return { customer: { accountId, token, region, droplets }, hosts };
}
