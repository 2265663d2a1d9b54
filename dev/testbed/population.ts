import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { expectStatus, send } from '../environment/http.ts';
import type { BedDroplet, BedHost } from './bed-host.ts';
import type { Testbed } from './topology.ts';

const REQUESTS = 1_000_000;
const LIMIT = 10_000;

const accountAnswer = z.object({ account: z.object({ id: z.int() }) });
const tokenAnswer = z.object({ token: z.string() });
const networksSchema = z.object({ v4: z.array(z.object({ ip_address: z.string(), type: z.string() })) });
const dropletAnswer = z.object({ droplet: z.object({ id: z.int(), name: z.string(), networks: networksSchema }) });

/** How the control plane is reached, and what it is to be given. */
export interface PopulationOptions {
  /** Base URL of the API, from this process. */
  apiUrl: string;
  adminToken: string;
  /** Makes up a range of addresses; called again when it is taken already. */
  pools: readonly (() => string)[];
  /** How many droplets each host gets. */
  dropletsPerHost: number;
  /** Whether the droplets answer HTTP with their names; otherwise they run nothing. */
  serving?: boolean;
}

/** A droplet of the bed, with the host that it is on. */
export interface PlacedDroplet extends BedDroplet {
  host: BedHost;
}

/** A host of the bed, as the control plane knows it. */
export interface RegisteredHost {
  host: BedHost;
  name: string;
  token: string;
}

/** What a test bed and a control plane know of each other. */
export interface Population {
  region: string;
  /** Base URL of the API as hosts and clients of the bed reach it. */
  bedApiUrl: string;
  accountId: number;
  accountToken: string;
  registered: RegisteredHost[];
  droplets: PlacedDroplet[];
  /** Starts the agent of a host. */
  startAgent(host: RegisteredHost): void;
}

/** Makes the control plane know a test bed, as an operator and a customer would: region, pools, hosts, droplets. */
export async function populate(bed: Testbed, options: PopulationOptions): Promise<Population> {
  const { apiUrl, adminToken, pools, dropletsPerHost, serving = true } = options;
  const admin = (method: 'POST' | 'PUT', path: string, body: unknown, ...expected: number[]) =>
    expectStatus({ method, url: `${apiUrl}/internal/v1${path}`, token: adminToken, body }, ...expected);
  const region = `bed-${randomBytes(4).toString('hex')}`;
  await admin('PUT', `/regions/${region}`, { name: `Test bed ${region}` }, 200);
  for (const pool of pools) await bed.addPool(await importPool(options, region, pool));

  const registered: RegisteredHost[] = [];
  for (const [index, host] of bed.hosts.entries()) {
    const name = `${region}-host-${index + 1}`;
    await admin('PUT', `/hosts/${name}`, { region, anchor_cidr: host.anchorRange }, 200);
    const { token } = tokenAnswer.parse((await admin('POST', `/hosts/${name}/tokens`, undefined, 201)).body);
    registered.push({ host, name, token });
  }

  const limits = { reserved_ip_limit: LIMIT, droplet_limit: LIMIT };
  const account = await admin('POST', '/accounts', { name: region, email: `${region}@example.com`, ...limits }, 201);
  const accountId = accountAnswer.parse(account.body).account.id;
  const rates = { requests_per_minute: REQUESTS, requests_per_hour: REQUESTS };
  const answer = await admin('POST', `/accounts/${accountId}/tokens`, { name: 'test bed', ...rates }, 201);
  const accountToken = tokenAnswer.parse(answer.body).token;

  const droplets: PlacedDroplet[] = [];
  for (let number = 1; number <= dropletsPerHost * registered.length; number++) {
    const droplet = await createDroplet(apiUrl, accountToken, { name: `droplet-${number}`, region });
    const host = bed.hosts.find((candidate) => candidate.hasAnchor(droplet.anchor));
    if (!host) throw new Error(`the anchor ${droplet.anchor} of ${droplet.name} is on no host of the bed`);
    await (serving ? host.addServingDroplet(droplet) : host.addDroplet(droplet));
    droplets.push({ ...droplet, host });
  }
  const bedApiUrl = `http://${bed.controlAddress}:${new URL(apiUrl).port}`;
  return {
    region,
    bedApiUrl,
    accountId,
    accountToken,
    registered,
    droplets,
    startAgent: ({ host, name, token }) => void host.startAgent({ name, token, apiUrl: bedApiUrl }),
  };
}

async function importPool(options: PopulationOptions, region: string, makeUp: () => string): Promise<string> {
  for (;;) {
    const cidr = makeUp();
    const url = `${options.apiUrl}/internal/v1/pools`;
    const { status, body } = await send({ method: 'POST', url, token: options.adminToken, body: { region, cidr } });
    if (status === 201) return cidr;
    if (status !== 409) throw new Error(`the range ${cidr} could not be imported: ${status} ${JSON.stringify(body)}`);
  }
}

/** Creates a droplet by the public API; it is put on the host that has the fewest. */
async function createDroplet(
  apiUrl: string,
  token: string,
  droplet: { name: string; region: string },
): Promise<BedDroplet> {
  const body = { ...droplet, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
  const answer = await expectStatus({ method: 'POST', url: `${apiUrl}/v2/droplets`, token, body }, 202);
  const { id, name, networks } = dropletAnswer.parse(answer.body).droplet;
  const anchor = networks.v4.find(({ type }) => type === 'private')?.ip_address;
  if (anchor === undefined) throw new Error(`droplet ${id} has no private address`);
  return { id, name, anchor };
}
