import { randomBytes } from 'node:crypto';
import type { Account } from '../kit/account.ts';
import type { Operator } from '../kit/operator.ts';
import type { BedDroplet, BedHost } from './bed-host.ts';
import type { Testbed } from './topology.ts';

/** How the control plane is reached, and what it is to be given. */
export interface PopulationOptions {
  operator: Operator;
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
  account: Account;
  registered: RegisteredHost[];
  droplets: PlacedDroplet[];
  /** Starts the agent of a host. */
  startAgent(host: RegisteredHost): void;
}

/** Makes the control plane know a test bed, as an operator and a customer would: region, pools, hosts, droplets. */
export async function populate(bed: Testbed, options: PopulationOptions): Promise<Population> {
  const { operator, pools, dropletsPerHost, serving = true } = options;
  const region = `bed-${randomBytes(4).toString('hex')}`;
  await operator.makeRegion(region);
  for (const pool of pools) await bed.addPool(await operator.importFreePool(region, pool));

  const registered: RegisteredHost[] = [];
  for (const [index, host] of bed.hosts.entries()) {
    registered.push({
      host,
      ...(await operator.registerHost(region, `${region}-host-${index + 1}`, host.anchorRange)),
    });
  }
  const account = await operator.makeAccount(region);
  const droplets: PlacedDroplet[] = [];
  for (let number = 1; number <= dropletsPerHost * registered.length; number++) {
    const droplet = await createDroplet(account, region, `droplet-${number}`);
    const host = bed.hosts.find((candidate) => candidate.hasAnchor(droplet.anchor));
    if (!host) throw new Error(`the anchor ${droplet.anchor} of ${droplet.name} is on no host of the bed`);
    await (serving ? host.addServingDroplet(droplet) : host.addDroplet(droplet));
    droplets.push({ ...droplet, host });
  }
  const bedApiUrl = `http://${bed.controlAddress}:${new URL(operator.http.baseUrl).port}`;
  return {
    region,
    bedApiUrl,
    account,
    registered,
    droplets,
    startAgent: ({ host, name, token }) => void host.startAgent({ name, token, apiUrl: bedApiUrl }),
  };
}

/** Creates a droplet; it is put on the host that has the fewest. */
async function createDroplet(account: Account, region: string, wanted: string): Promise<BedDroplet> {
  const { id, name, networks } = await account.createDroplet(region, wanted);
  const anchor = networks.v4.find(({ type }) => type === 'private')?.ip_address;
  if (anchor === undefined) throw new Error(`droplet ${id} has no private address`);
  return { id, name, anchor };
}
