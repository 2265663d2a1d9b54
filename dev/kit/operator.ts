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

/** Makes what a control plane is populated with, by the admin API. Everything throws when the API refuses it. */
export class Operator {
  readonly http: Http;

  constructor(apiUrl: string, adminToken: string) {
    this.http = new Http(apiUrl, adminToken);
  }

  /** Makes a region, or leaves it as it is, and imports ranges of addresses into it. */
  async makeRegion(region: string, ...cidrs: string[]): Promise<void> {
    const body = { name: `Region ${region}` };
    await ask(() => this.http.put(`/internal/v1/regions/${region}`, body), 200, z.object({}));
    for (const cidr of cidrs) await ask(() => this.importPool(region, cidr), 201, z.object({}));
  }

  /** Imports a range of addresses, which may be taken already. */
  importPool(region: string, cidr: string): Promise<Answer> {
    return this.http.post('/internal/v1/pools', { region, cidr });
  }

  /** Registers a host. */
  async registerHost(region: string, name: string, anchorCidr = ANCHORS): Promise<RegisteredHost> {
    const path = `/internal/v1/hosts/${name}`;
    await ask(() => this.http.put(path, { region, anchor_cidr: anchorCidr }), 200, z.object({}));
    const { token } = await ask(() => this.http.post(`${path}/tokens`), 201, tokenSchema);
    return { name, token };
  }

  /** Registers so many hosts, `<region>-1` and on. */
  async registerHosts(region: string, count: number): Promise<RegisteredHost[]> {
    const hosts: RegisteredHost[] = [];
    while (hosts.length < count) hosts.push(await this.registerHost(region, `${region}-${hosts.length + 1}`));
    return hosts;
  }

  /** Makes an account and a token of it, by default with limits that are out of the way. */
  async makeAccount(name: string, { reservedIpLimit = 10_000, dropletLimit = 10_000 } = {}): Promise<Account> {
    const limits = { reserved_ip_limit: reservedIpLimit, droplet_limit: dropletLimit };
    const form = { name, email: `${name}@example.com`, ...limits };
    const { account } = await ask(() => this.http.post('/internal/v1/accounts', form), 201, accountSchema);
    return new Account(account.id, new Http(this.http.baseUrl, await this.makeToken(account.id)));
  }

  /** Makes a token of an account, by default with limits that are out of the way. */
  async makeToken(accountId: number, settings: Record<string, unknown> = OUT_OF_THE_WAY): Promise<string> {
    const path = `/internal/v1/accounts/${accountId}/tokens`;
    return (await ask(() => this.http.post(path, { name: 'token', ...settings }), 201, tokenSchema)).token;
  }
}
