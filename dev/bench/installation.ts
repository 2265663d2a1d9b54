import { z } from 'zod';
import type { BenchClient } from './http.ts';

/*
 * What a bench makes in a new control plane, through its APIs.
 */

/** A host and the token its agent holds. */
export interface RegisteredHost {
  name: string;
  token: string;
}

/** An account and a token of it. */
export interface Customer {
  accountId: number;
  token: string;
}

/** A region with a pool and hosts. */
export interface RegionPlan {
  region: string;
  name: string;
  /** The pool. */
  cidr: string;
  hosts: number;
}

/** Limits that are counted and never reached. */
const UNREACHED = { requests_per_minute: 10_000_000, requests_per_hour: 100_000_000 };

/** Makes a region with a pool; its hosts are called `<region>-<number>`. */
export async function makeRegion(admin: BenchClient, plan: RegionPlan): Promise<RegisteredHost[]> {
  const { region, name, cidr } = plan;
  const schema = z.object({});
  await admin.send({ method: 'PUT', path: `/internal/v1/regions/${region}`, status: 200, schema }, { name });
  await admin.send({ method: 'POST', path: '/internal/v1/pools', status: 201, schema }, { region, cidr });
  const hosts: RegisteredHost[] = [];
  while (hosts.length < plan.hosts) hosts.push(await registerHost(admin, region, `${region}-${hosts.length + 1}`));
  return hosts;
}

/** Registers a host. */
export async function registerHost(admin: BenchClient, region: string, name: string): Promise<RegisteredHost> {
  const path = `/internal/v1/hosts/${name}`;
  const form = { region, anchor_cidr: '10.17.0.0/16' };
  await admin.send({ method: 'PUT', path, status: 200, schema: z.object({}) }, form);
  const schema = z.object({ token: z.string() });
  const { token } = await admin.send({ method: 'POST', path: `${path}/tokens`, status: 201, schema });
  return { name, token };
}

/** Makes an account and a token whose limits are never reached. */
export async function makeAccount(
  admin: BenchClient,
  name: string,
  { reservedIpLimit = 1_000, dropletLimit = 1_000 } = {},
): Promise<Customer> {
  const schema = z.object({ account: z.object({ id: z.int() }) });
  const limits = { reserved_ip_limit: reservedIpLimit, droplet_limit: dropletLimit };
  const { account } = await admin.send(
    { method: 'POST', path: '/internal/v1/accounts', status: 201, schema },
    { name, email: `${name}@example.com`, ...limits },
  );
  return { accountId: account.id, token: await makeToken(admin, account.id, UNREACHED) };
}

/** Makes a token of an account; without limits it has those of every new token. */
export async function makeToken(
  admin: BenchClient,
  accountId: number,
  limits: Partial<typeof UNREACHED> = {},
): Promise<string> {
  const path = `/internal/v1/accounts/${accountId}/tokens`;
  const schema = z.object({ token: z.string() });
  return (await admin.send({ method: 'POST', path, status: 201, schema }, { name: 'bench', ...limits })).token;
}

/** Makes a droplet; answers its number. */
export async function makeDroplet(api: BenchClient, region: string, name: string): Promise<number> {
  const schema = z.object({ droplet: z.object({ id: z.int() }) });
  const form = { name, region, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
  return (await api.send({ method: 'POST', path: '/v2/droplets', status: 202, schema }, form)).droplet.id;
}

/** Reserves an address in a region. */
export async function reserveAddress(api: BenchClient, region: string): Promise<string> {
  const schema = z.object({ reserved_ip: z.object({ ip: z.string() }) });
  return (await api.send({ method: 'POST', path: '/v2/reserved_ips', status: 202, schema }, { region })).reserved_ip.ip;
}
