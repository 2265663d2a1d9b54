import { z } from 'zod';
import { expectAnswer, Http } from './http.ts';

export const REGION = 'fault';
/** So many addresses that most changes find theirs idle, and so few that clients still meet on them. */
const POOLS = ['198.51.100.0/25', '2001:db8:fa17::/121'];
const RESERVED_IP_LIMIT = 28;
const DROPLETS = 70;
/** More than are made, for a droplet is replaced when its end is not known, too. */
const DROPLET_LIMIT = 1_000;
const NO_LIMIT = 100_000_000;

/** A customer whose addresses several clients change at once. */
export interface FaultAccount {
  id: number;
  token: string;
  /** Those that it has at the start. */
  droplets: number[];
  /** Most addresses that it may hold, of each IP version. */
  limit: number;
}

/** A registered host and the token of its agent. */
export interface FaultHost {
  name: string;
  token: string;
}

/** Registers the hosts, in one region with a pool of each IP version. */
export async function registerHosts(admin: Http, count: number): Promise<FaultHost[]> {
  const anything = z.object({});
  expectAnswer(await admin.put(`/internal/v1/regions/${REGION}`, { name: 'Fault' }), 200, anything);
  for (const cidr of POOLS) {
    expectAnswer(await admin.post('/internal/v1/pools', { region: REGION, cidr }), 201, anything);
  }
  const hosts: FaultHost[] = [];
  for (let number = 1; number <= count; number++) {
    const path = `/internal/v1/hosts/fault-${number}`;
    expectAnswer(await admin.put(path, { region: REGION, anchor_cidr: '10.17.0.0/16' }), 200, anything);
    const { token } = expectAnswer(await admin.post(`${path}/tokens`), 201, z.object({ token: z.string() }));
    hosts.push({ name: `fault-${number}`, token });
  }
  return hosts;
}

/** Makes an account with droplets on all hosts. */
export async function makeAccount(admin: Http, name: string): Promise<FaultAccount> {
  const limits = { reserved_ip_limit: RESERVED_IP_LIMIT, droplet_limit: DROPLET_LIMIT };
  const form = { name, email: `${name}@example.com`, ...limits };
  const created = await admin.post('/internal/v1/accounts', form);
  const { id } = expectAnswer(created, 201, z.object({ account: z.object({ id: z.int() }) })).account;
  const rates = { name: 'faults', requests_per_minute: NO_LIMIT, requests_per_hour: NO_LIMIT };
  const given = await admin.post(`/internal/v1/accounts/${id}/tokens`, rates);
  const { token } = expectAnswer(given, 201, z.object({ token: z.string() }));
  const http = new Http(admin.baseUrl, token);
  const droplets: number[] = [];
  for (let number = 1; number <= DROPLETS; number++) {
    const droplet = { name: `${name}-${number}`, region: REGION, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    const answer = await http.post('/v2/droplets', droplet);
    droplets.push(expectAnswer(answer, 202, z.object({ droplet: z.object({ id: z.int() }) })).droplet.id);
  }
  return { id, token, droplets, limit: RESERVED_IP_LIMIT };
}
