import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Customer } from './population.ts';
import { REGION } from './population.ts';

/** Requests a second. */
export interface Rates {
  writes: number;
  reads: number;
}

/** One request and its outcome. */
export interface SentRequest {
  kind: 'read' | 'write';
  what: string;
  milliseconds: number;
  /** Null when there was no answer. */
  status: number | null;
  /** The answer's beginning when it is no success, or why there was none. */
  problem: string | null;
}

const WRITES = ['reserve', 'assign', 'move', 'unassign', 'release'] as const;
const READS = ['addresses', 'address', 'actions', 'action', 'droplets', 'droplet'] as const;
const TICK_MS = 5;
const PROBLEM_LENGTH = 200;

const acceptedSchema = z.object({ action: z.object({ id: z.int() }) });
const reservedSchema = z.object({ reserved_ip: z.object({ ip: z.string() }) });

/** How many addresses and droplets a load of so many writes takes from each customer, with something to spare. */
export function stockFor(writes: number, customers: number): { addresses: number; droplets: number; attached: number } {
  const ofEach = Math.ceil(writes / WRITES.length / customers) + 2;
  return { addresses: 2 * ofEach, droplets: 2 * ofEach, attached: 2 * ofEach };
}

/**
 * Customers who send requests at a fixed rate, whatever comes of those before. No write is about an address or a droplet
 * that an earlier one of the same load has touched, so each is possible however long actions stay in progress; only an
 * address that has just been reserved, which is complete at once, may be assigned or released.
 */
export class Load {
  readonly requests: SentRequest[] = [];
  readonly #customers: readonly Customer[];
  readonly #sent = new Set<Promise<void>>();
  #writes = 0;
  #reads = 0;

  constructor(customers: readonly Customer[]) {
    this.#customers = customers;
  }

  /** Sends for so long, and resolves when everything is answered. */
  async run(rates: Rates, forMs: number): Promise<void> {
    const startedAt = performance.now();
    for (let elapsed = 0; elapsed < forMs; elapsed = performance.now() - startedAt) {
      for (; this.#writes < (rates.writes * elapsed) / 1_000; this.#writes++) this.#follow(this.#write(this.#writes));
      for (; this.#reads < (rates.reads * elapsed) / 1_000; this.#reads++) this.#follow(this.#read(this.#reads));
      await sleep(TICK_MS);
    }
    await Promise.all(this.#sent);
  }

  #follow(request: Promise<void>): void {
    this.#sent.add(request);
    void request.finally(() => this.#sent.delete(request));
  }

  async #write(number: number): Promise<void> {
    const customer = this.#customerOf(Math.floor(number / WRITES.length));
    const what = WRITES[number % WRITES.length] ?? 'reserve';
    const { stock } = customer;
    const take = <Thing>(things: Thing[]): Thing => {
      const thing = things.pop();
      if (thing === undefined) throw new Error(`the load has nothing left to ${what}`);
      return thing;
    };
    switch (what) {
      case 'reserve': {
        const body = await this.#send(customer, 'write', what, 'POST', '/v2/reserved_ips', { region: REGION });
        const reserved = reservedSchema.safeParse(body).data;
        if (reserved) stock.addresses.unshift(reserved.reserved_ip.ip);
        return;
      }
      case 'assign':
        return this.#act(customer, what, take(stock.addresses), { type: 'assign', droplet_id: take(stock.droplets) });
      case 'move':
        return this.#act(customer, what, take(stock.attached), { type: 'assign', droplet_id: take(stock.droplets) });
      case 'unassign':
        return this.#act(customer, what, take(stock.attached), { type: 'unassign' });
      case 'release':
        await this.#send(customer, 'write', what, 'DELETE', `/v2/reserved_ips/${take(stock.addresses)}`);
    }
  }

  async #act(customer: Customer, what: string, address: string, body: unknown): Promise<void> {
    const answer = await this.#send(customer, 'write', what, 'POST', `/v2/reserved_ips/${address}/actions`, body);
    const accepted = acceptedSchema.safeParse(answer).data;
    if (accepted) customer.actions.push(accepted.action.id);
  }

  async #read(number: number): Promise<void> {
    const customer = this.#customerOf(Math.floor(number / READS.length));
    const what = READS[number % READS.length] ?? 'addresses';
    await this.#send(customer, 'read', what, 'GET', pathOf(what, customer));
  }

  #customerOf(number: number): Customer {
    const customer = this.#customers[number % this.#customers.length];
    if (!customer) throw new Error('the load has no customer');
    return customer;
  }

  async #send(
    { http }: Customer,
    kind: SentRequest['kind'],
    what: string,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<unknown> {
    const sentAt = performance.now();
    const keep = (status: number | null, problem: string | null) =>
      this.requests.push({ kind, what, milliseconds: performance.now() - sentAt, status, problem });
    try {
      const answer = await http.send(method, path, { body });
      const isGood = answer.status < 300;
      keep(answer.status, isGood ? null : `${answer.status} ${answer.text.slice(0, PROBLEM_LENGTH)}`);
      return isGood ? answer.body : null;
    } catch (error) {
      keep(null, String(error instanceof Error ? (error.cause ?? error) : error));
      return null;
    }
  }
}

function pathOf(what: (typeof READS)[number], { stock, actions }: Customer): string {
  switch (what) {
    case 'addresses':
      return '/v2/reserved_ips';
    case 'address':
      return `/v2/reserved_ips/${anyOf(stock.attached)}`;
    case 'actions':
      return '/v2/actions';
    case 'action':
      return `/v2/actions/${anyOf(actions)}`;
    case 'droplets':
      return '/v2/droplets';
    case 'droplet':
      return `/v2/droplets/${anyOf(stock.droplets)}`;
  }
}

function anyOf<Thing>(things: readonly Thing[]): Thing {
  const thing = things[Math.floor(Math.random() * things.length)];
  if (thing === undefined) throw new Error('the load has nothing to read');
  return thing;
}
