import { z } from 'zod';
import { Account } from './account.ts';
import { type Answer, ask, Http } from './http.ts';

/** Limits that are counted and never reached. */
const OUT_OF_THE_WAY = { requests_per_minute: 10_000_000, requests_per_hour: 100_000_000 };
const ANCHORS = '10.17.0.0/16';

const accountSchema = z.object({ account: z.object({ id: z.int() }) });
const tokenSchema = z.object({ token: z.string() });

/** A host and the token that its agent holds. */
export interface RegisteredHost {
  name: string;
  token: string;
}

/** Most addresses and droplets of an account. */
export interface AccountLimits {
  reservedIpLimit?: number;
  dropletLimit?: number;
}

/** Makes what a control plane is populated with, by the admin API. Throws when the API rejects it. */
export class Operator {
  readonly http: Http;

  constructor(apiUrl: string, adminToken: string) {
    this.http = new Http(apiUrl, adminToken);
  }

  /** Makes a region with ranges of addresses. */
  async makeRegion(region: string, ...cidrs: string[]): Promise<void> {
    await this.putRegion(region, `Region ${region}`);
    for (const cidr of cidrs) await this.makePool(region, cidr);
  }

  /** Makes a region, or names it anew. */
  async putRegion(region: string, name: string): Promise<void> {
    await ask(() => this.http.put(`/internal/v1/regions/${region}`, { name }), 200, z.object({}));
  }

  /** Imports a range of addresses that is not taken. */
  async makePool(region: string, cidr: string): Promise<void> {
    await ask(() => this.importPool(region, cidr), 201, z.object({}));
  }

  /** Imports a range of addresses, which may be taken already. */
  importPool(region: string, cidr: string): Promise<Answer> {
    return this.http.post('/internal/v1/pools', { region, cidr });
  }

  /** Registers a host, or leaves it as it is. */
  async putHost(region: string, name: string, anchorCidr = ANCHORS): Promise<void> {
    await ask(
      () => this.http.put(`/internal/v1/hosts/${name}`, { region, anchor_cidr: anchorCidr }),
      200,
      z.object({}),
    );
  }

  /** Makes a token for the agent of a host. */
  async makeHostToken(name: string): Promise<string> {
    return (await ask(() => this.http.post(`/internal/v1/hosts/${name}/tokens`), 201, tokenSchema)).token;
  }

  /** Registers a host with a token. */
  async registerHost(region: string, name: string, anchorCidr?: string): Promise<RegisteredHost> {
    await this.putHost(region, name, anchorCidr);
    return { name, token: await this.makeHostToken(name) };
  }

  /** Registers so many hosts, `<region>-1` and on. */
  async registerHosts(region: string, count: number): Promise<RegisteredHost[]> {
    const hosts: RegisteredHost[] = [];
    while (hosts.length < count) hosts.push(await this.registerHost(region, `${region}-${hosts.length + 1}`));
    return hosts;
  }

  /** Makes an account and a token of it, by default with limits that are out of the way. */
  async makeAccount(name: string, limits: AccountLimits = {}): Promise<Account> {
    const id = await this.createAccount({ name, email: `${name}@example.com` }, limits);
    return new Account(id, new Http(this.http.baseUrl, await this.makeToken(id)));
  }

  /** Makes an account without a token; answers its number. */
  async createAccount(who: { name: string; email: string }, limits: AccountLimits = {}): Promise<number> {
    const { reservedIpLimit = 10_000, dropletLimit = 10_000 } = limits;
    const form = { ...who, reserved_ip_limit: reservedIpLimit, droplet_limit: dropletLimit };
    return (await ask(() => this.http.post('/internal/v1/accounts', form), 201, accountSchema)).account.id;
  }

  /** Makes a token of an account, with limits that are out of the way; undefined leaves one to the API. */
  async makeToken(accountId: number, settings: Record<string, unknown> = {}): Promise<string> {
    const path = `/internal/v1/accounts/${accountId}/tokens`;
    const form = { name: 'token', ...OUT_OF_THE_WAY, ...settings };
    return (await ask(() => this.http.post(path, form), 201, tokenSchema)).token;
  }
}
