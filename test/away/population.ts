import { z } from 'zod';
import type { Account } from '../../dev/kit/account.ts';
import { expectAnswer, type Http } from '../../dev/kit/http.ts';
import { until } from '../../dev/kit/until.ts';

export const REGION = 'away';
/** So large that no account's share of it binds. */
export const POOL = '100.64.0.0/18';
/** What one account makes at a time while it is prepared. */
const AT_ONCE = 2;
const PAGE = 200;

/** What an account can change right now: nothing in it has a pending action. */
export interface Stock {
  /** Addresses on no droplet. */
  addresses: string[];
  /** Droplets without an address. */
  droplets: number[];
  /** Addresses on a droplet. */
  attached: string[];
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
    // A machine that is busy with other things may take longer than the API waits for the row of the host.
    await until('a droplet was made', async () => (await this.account.requestDroplet(REGION)).status === 202);
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

/** Does something as often as said, a few at a time. */
async function times(count: number, make: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) await make(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}
