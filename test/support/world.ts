import { randomBytes, randomInt } from 'node:crypto';
import { pino } from 'pino';
import { inject, onTestFinished } from 'vitest';
import type { Account } from '../../dev/kit/account.ts';
import type { Http } from '../../dev/kit/http.ts';
import { ManualHost } from '../../dev/kit/manual-host.ts';
import { Operator, type TokenSettings } from '../../dev/kit/operator.ts';
import { runAgent } from '../../host/agent.ts';
import { SimulatedDriver } from '../../host/drivers/simulated.ts';

/** A host of a world that is run by the real agent over the simulated driver. */
export interface AgentHost {
  name: string;
  driver: SimulatedDriver;
}

/** What {@link createWorld} is to make. */
export interface WorldOptions {
  /** Hosts with a running agent; default 2. */
  agents?: number;
  /** Hosts whose answers the test decides; default 0. */
  manualHosts?: number;
  /** Prefix length of the pool; default 25, which holds 126 addresses. */
  prefixLength?: number;
  /** Prefix length of an IPv6 pool, 112 or more; by default there is none. */
  ipv6PrefixLength?: number;
  /** The API that everything in it speaks to; default the first one of the environment. */
  apiUrl?: string;
}

/**
 * A region of its own with hosts, a pool and accounts, so that no two tests meet. All of it is made through the admin
 * API, as an operator would.
 */
export class World {
  readonly region: string;
  readonly cidr: string;
  readonly operator: Operator;
  readonly agents: AgentHost[] = [];
  readonly manualHosts: ManualHost[] = [];
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>[] = [];

  constructor(region: string, cidr: string, operator: Operator) {
    this.region = region;
    this.cidr = cidr;
    this.operator = operator;
  }

  /** Speaks to the admin API. */
  get admin(): Http {
    return this.operator.http;
  }

  /** A new account with a token whose limits are out of the way. */
  account(limits: { reservedIpLimit?: number; dropletLimit?: number } = {}): Promise<Account> {
    return this.operator.makeAccount(`account-${randomBytes(4).toString('hex')}`, limits);
  }

  /** A token of an account. */
  token(accountId: number, settings?: TokenSettings): Promise<string> {
    return this.operator.makeToken(accountId, settings);
  }

  /** Makes droplets; consecutive ones of a world with two hosts are on different hosts. */
  droplets(account: Account, count: number): Promise<number[]> {
    return account.makeDroplets(this.region, count);
  }

  /** Imports a further pool into the region and answers its range. */
  importPool(block: Block, prefixLength: number): Promise<string> {
    return importFreePool(this.operator, this.region, prefixLength, block);
  }

  /** Imports an IPv6 pool into the region and answers its range; 64 random bits are nobody else's. */
  importIpv6Pool(prefixLength: number): Promise<string> {
    const groups = randomBytes(8).toString('hex').match(/.{4}/g) ?? [];
    const cidr = `2001:db8:${groups.join(':')}:0:0/${prefixLength}`;
    return this.operator.importPool(this.region, cidr);
  }

  /** Registers a host and answers its token. */
  async registerHost(name: string): Promise<string> {
    return (await this.operator.registerHost(this.region, name)).token;
  }

  /** Runs the real agent of a host until the test is over. */
  startAgent(name: string, token: string, driver = new SimulatedDriver()): AgentHost {
    const { signal } = this.#stopping;
    const logger = pino({ level: 'silent' });
    this.#running.push(runAgent({ apiUrl: this.admin.baseUrl, token, host: name, driver, signal, logger }));
    const agent = { name, driver };
    this.agents.push(agent);
    return agent;
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }
}

/** Makes a world for the test, or the file, that calls it; the caller closes it, or see {@link useWorld}. */
export async function createWorld(options: WorldOptions = {}): Promise<World> {
  const environment = inject('environment');
  const { agents = 2, manualHosts = 0, prefixLength = 25, ipv6PrefixLength, apiUrl = environment.apiUrl } = options;
  const operator = new Operator(apiUrl, environment.adminToken);
  const region = `r${randomBytes(4).toString('hex')}`;
  await operator.makeRegion(region);
  const world = new World(region, await importFreePool(operator, region, prefixLength), operator);
  if (ipv6PrefixLength !== undefined) await world.importIpv6Pool(ipv6PrefixLength);
  for (let number = 1; number <= agents; number++) {
    const name = `${region}-agent-${number}`;
    world.startAgent(name, await world.registerHost(name));
  }
  for (let number = 1; number <= manualHosts; number++) {
    const name = `${region}-manual-${number}`;
    world.manualHosts.push(new ManualHost(name, apiUrl, await world.registerHost(name)));
  }
  return world;
}

/** A world of the running test, closed when it is over. */
export async function useWorld(options: WorldOptions = {}): Promise<World> {
  const world = await createWorld(options);
  onTestFinished(() => world.close());
  return world;
}

/** A block that pools are cut from. */
interface Block {
  first: number;
  prefixLength: number;
}

/** 100.64.0.0/10, shared address space. */
const SHARED: Block = { first: 0x64400000, prefixLength: 10 };

/** 240.0.0.0/4, reserved for future use; the addresses need all 32 bits. */
export const FUTURE: Block = { first: 0xf0000000, prefixLength: 4 };

/** Imports a range that no other test has: a random one of the block, tried again when it is taken. */
function importFreePool(operator: Operator, region: string, prefixLength: number, block = SHARED): Promise<string> {
  return operator.importFreePool(region, () => {
    const number = (block.first + randomInt(2 ** (prefixLength - block.prefixLength)) * 2 ** (32 - prefixLength)) >>> 0;
    const octets = [24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff);
    return `${octets.join('.')}/${prefixLength}`;
  });
}
