import { z } from 'zod';
import { Account } from '../../dev/kit/account.ts';
import { expectAnswer, Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';

export const REGION = 'away';
/** So large that no account's share of it binds. */
const POOL = '100.64.0.0/18';
/** What one account makes at a time while it is prepared. */
const AT_ONCE = 2;
const PAGE = 200;
const NO_LIMIT = 100_000_000;

/** What an account can change right now: nothing in it has a pending action. */
export interface Stock {
  /** Addresses on no droplet. */
  addresses: string[];
  /** Droplets without an address. */
  droplets: number[];
  /** Addresses on a droplet. */
  attached: string[];
}

/** Registers the hosts in one region with a pool. */
export async function registerHosts(admin: Http, count: number): Promise<{ name: string; token: string }[]> {
  expectAnswer(await admin.put(`/internal/v1/regions/${REGION}`, { name: 'Away' }), 200, z.object({}));
  expectAnswer(await admin.post('/internal/v1/pools', { region: REGION, cidr: POOL }), 201, z.object({}));
  const hosts: { name: string; token: string }[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `away-${number}`;
    const path = `/internal/v1/hosts/${name}`;
    expectAnswer(await admin.put(path, { region: REGION, anchor_cidr: '10.17.0.0/16' }), 200, z.object({}));
    const { token } = expectAnswer(await admin.post(`${path}/tokens`), 201, z.object({ token: z.string() }));
    hosts.push({ name, token });
  }
  return hosts;
}

/** A customer of the load. */
export class Customer {
  readonly account: Account;
  stock: Stock = { addresses: [], droplets: [], attached: [] };
  /** Actions that it knows of. */
  readonly actions: number[] = [];

  constructor(account: Account) {
    this.account = account;
  }

  get http(): Http {
    return this.account.http;
  }

  /** Makes addresses, droplets, and addresses on droplets until there are as many as wanted. */
  async prepare({ addresses, droplets, attached }: Record<keyof Stock, number>): Promise<void> {
    const missing = attached - this.stock.attached.length;
    await times(droplets + missing - this.stock.droplets.length, () => this.#makeDroplet());
    await times(addresses - this.stock.addresses.length, () => this.account.reserve(REGION));
    await this.readStock();
    const targets = this.stock.droplets.slice(0, Math.max(0, missing));
    await times(targets.length, async (index) => {
      const { actionId } = await this.account.reserveFor(targets[index] ?? 0);
      this.actions.push(actionId);
    });
  }

  /** Reads from the API what there is; fails when something is still pending. */
  async readStock(): Promise<void> {
    const addressSchema = z.object({
      reserved_ips: z.array(
        z.object({ ip: z.string(), locked: z.boolean(), droplet: z.object({ id: z.int() }).nullable() }),
      ),
    });
    const dropletSchema = z.object({ droplets: z.array(z.object({ id: z.int() })) });
    const held = (await this.#pages('/v2/reserved_ips', addressSchema)).flatMap((page) => page.reserved_ips);
    const made = (await this.#pages('/v2/droplets', dropletSchema)).flatMap((page) => page.droplets);
    const locked = held.filter((address) => address.locked);
    if (locked.length > 0) throw new Error(`${locked.length} addresses are still locked, such as ${locked[0]?.ip}`);
    const taken = new Set(held.flatMap(({ droplet }) => (droplet === null ? [] : [droplet.id])));
    this.stock = {
      addresses: held.filter(({ droplet }) => droplet === null).map(({ ip }) => ip),
      droplets: made.map(({ id }) => id).filter((id) => !taken.has(id)),
      attached: held.filter(({ droplet }) => droplet !== null).map(({ ip }) => ip),
    };
  }

  /** Every action of the account, as its customer sees it. */
  async listActions(): Promise<{ id: number; status: string }[]> {
    const schema = z.object({ actions: z.array(z.object({ id: z.int(), status: z.string() })) });
    return (await this.#pages('/v2/actions', schema)).flatMap((page) => page.actions);
  }

  async #makeDroplet(): Promise<void> {
    const droplet = { name: 'away', region: REGION, size: 's-1vcpu-1gb', image: 'debian-12-x64' };
    // A machine that is busy with other things may take longer than the API waits for the row of the host.
    await until('a droplet was made', async () => (await this.http.post('/v2/droplets', droplet)).status === 202);
  }

  async #pages<Page>(path: string, schema: z.ZodType<Page>): Promise<Page[]> {
    const paged = z.object({ links: z.object({ pages: z.object({ next: z.string().optional() }).optional() }) });
    const pages: Page[] = [];
    for (let number = 1; ; number++) {
      const answer = await this.http.get(`${path}?per_page=${PAGE}&page=${number}`);
      pages.push(expectAnswer(answer, 200, schema));
      if (paged.parse(answer.body).links.pages?.next === undefined) return pages;
    }
  }
}

/** Makes a customer whose limits and rates are out of the way. */
export async function makeCustomer(admin: Http, name: string): Promise<Customer> {
  const limits = { reserved_ip_limit: 10_000, droplet_limit: 10_000 };
  const created = await admin.post('/internal/v1/accounts', { name, email: `${name}@example.com`, ...limits });
  const { id } = expectAnswer(created, 201, z.object({ account: z.object({ id: z.int() }) })).account;
  const rates = { name: 'away', requests_per_minute: NO_LIMIT, requests_per_hour: NO_LIMIT };
  const given = await admin.post(`/internal/v1/accounts/${id}/tokens`, rates);
  const { token } = expectAnswer(given, 201, z.object({ token: z.string() }));
  return new Customer(new Account(id, new Http(admin.baseUrl, token)));
}

/** Does something as often as said, a few at a time. */
async function times(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await make(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
