import { ApiError } from '../../platform/api-client/api-error.ts';
import { type ApiClient, dataOf, openApiClient } from '../../platform/api-client/client.ts';
import { Account } from './account.ts';
import { Http } from './http.ts';

/** Limits that are counted and never reached. */
const OUT_OF_THE_WAY = { requests_per_minute: 10_000_000, requests_per_hour: 100_000_000 };
const ANCHORS = '10.17.0.0/16';

/** How often the API is asked while it says that it is not available yet. */
const ATTEMPTS = 5;

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

/** What a token of an account may be given; undefined leaves a limit to the API. */
export interface TokenSettings {
  name?: string;
  scopes?: string[];
  requests_per_minute?: number | undefined;
  requests_per_hour?: number | undefined;
}

/** Makes what a control plane is populated with, by the admin API. Everything throws when the API rejects it. */
export class Operator {
  /** For requests that are not well-formed. */
  readonly http: Http;
  readonly api: ApiClient;

  constructor(apiUrl: string, adminToken: string) {
    this.http = new Http(apiUrl, adminToken);
    this.api = openApiClient({ baseUrl: apiUrl, token: adminToken, attempts: ATTEMPTS });
  }

  /** Makes a region with ranges of addresses. */
  async makeRegion(region: string, ...cidrs: string[]): Promise<void> {
    await this.putRegion(region, `Region ${region}`);
    for (const cidr of cidrs) await this.importPool(region, cidr);
  }

  /** Makes a region, or names it anew. */
  async putRegion(region: string, name: string): Promise<void> {
    await this.api.PUT('/internal/v1/regions/{slug}', { params: { path: { slug: region } }, body: { name } });
  }

  /** Imports a range of addresses; answers it in its canonical form. */
  async importPool(region: string, cidr: string): Promise<string> {
    return (await dataOf(this.api.POST('/internal/v1/pools', { body: { region, cidr } }))).pool.cidr;
  }

  /** Imports the first range that is made up and not taken; answers it. */
  async importFreePool(region: string, makeUp: () => string): Promise<string> {
    for (;;) {
      try {
        return await this.importPool(region, makeUp());
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 409) throw error;
      }
    }
  }

  /** Registers a host, or leaves it as it is. */
  async putHost(region: string, name: string, anchorCidr = ANCHORS): Promise<void> {
    const body = { region, anchor_cidr: anchorCidr };
    await this.api.PUT('/internal/v1/hosts/{name}', { params: { path: { name } }, body });
  }

  /** Makes a token for the agent of a host. */
  async makeHostToken(name: string): Promise<string> {
    return (await dataOf(this.api.POST('/internal/v1/hosts/{name}/tokens', { params: { path: { name } } }))).token;
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
    const body = { ...who, reserved_ip_limit: reservedIpLimit, droplet_limit: dropletLimit };
    return (await dataOf(this.api.POST('/internal/v1/accounts', { body }))).account.id;
  }

  /** Makes a token of an account, by default with limits that are out of the way. */
  async makeToken(id: number, settings: TokenSettings = {}): Promise<string> {
    const { name = 'token', scopes } = settings;
    const { requests_per_minute, requests_per_hour } = { ...OUT_OF_THE_WAY, ...settings };
    const body = {
      name,
      ...(scopes !== undefined && { scopes }),
      ...(requests_per_minute !== undefined && { requests_per_minute }),
      ...(requests_per_hour !== undefined && { requests_per_hour }),
    };
    return (await dataOf(this.api.POST('/internal/v1/accounts/{id}/tokens', { params: { path: { id } }, body }))).token;
  }
}
