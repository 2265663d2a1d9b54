import type { Operator, RegisteredHost } from '../../kit/operator.ts';

const HOSTS_PER_REGION = 2;
const DROPLETS = 3;
/** Customers who are made at the same time. */
const AT_A_TIME = 8;

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
  hosts: RegisteredHost[];
}

/**
 * Makes customers as an operator does. Each has a region with a pool and two hosts of its own, because the stand-in gives
 * one address to two who ask at the same moment.
 */
export async function populate(operator: Operator, count: number): Promise<Population> {
  const population: Population = { customers: [], hosts: [] };
  for (let first = 0; first < count; first += AT_A_TIME) {
    const numbers = Array.from({ length: Math.min(AT_A_TIME, count - first) }, (_, index) => first + index);
    for (const made of await Promise.all(numbers.map((number) => makeOne(operator, number)))) {
      population.customers.push(made.customer);
      population.hosts.push(...made.hosts);
    }
  }
  return population;
}

async function makeOne(operator: Operator, number: number) {
  const region = `region-${number + 1}`;
  await operator.makeRegion(region, `198.18.${number >> 3}.${(number & 7) * 32}/27`);
  const hosts = await operator.registerHosts(region, HOSTS_PER_REGION);
  const account = await operator.makeAccount(region, { reservedIpLimit: 10, dropletLimit: 10 });
  const droplets = await account.makeDroplets(region, DROPLETS);
  return { customer: { accountId: account.id, token: account.token, region, droplets }, hosts };
}
