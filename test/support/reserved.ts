import type { Account } from '../../dev/kit/account.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import type { AccountLimits } from '../../dev/kit/operator.ts';
import { useWorld, type World, type WorldOptions } from './world.ts';

/** A customer of the running test with a world of their own. */
export class Customer {
  readonly world: World;
  readonly account: Account;
  readonly droplets: number[];

  constructor(world: World, account: Account, droplets: number[]) {
    this.world = world;
    this.account = account;
    this.droplets = droplets;
  }

  /** The first droplet, 0 when there is none. */
  get droplet(): number {
    return this.droplets[0] ?? 0;
  }

  /** The first host whose answers the test decides; throws when there is none. */
  get host(): ManualHost {
    const [host] = this.world.manualHosts;
    if (!host) throw new Error('the world has no host whose answers the test decides');
    return host;
  }
}

/** A customer with an address on no droplet. */
export class ReservingCustomer extends Customer {
  readonly ip: string;

  constructor({ world, account, droplets }: Customer, ip: string) {
    super(world, account, droplets);
    this.ip = ip;
  }
}

/** What a world and its customer are made with. */
export interface CustomerOptions extends WorldOptions, AccountLimits {
  /** How many droplets the customer has. */
  droplets?: number;
}

/** Makes a world for the running test, and in it a customer with so many droplets; default none. */
export async function useCustomer(options: CustomerOptions = {}): Promise<Customer> {
  const { droplets = 0, reservedIpLimit, dropletLimit, ...ofWorld } = options;
  const world = await useWorld(ofWorld);
  const limits = {
    ...(reservedIpLimit !== undefined && { reservedIpLimit }),
    ...(dropletLimit !== undefined && { dropletLimit }),
  };
  const account = await world.account(limits);
  return new Customer(world, account, await world.droplets(account, droplets));
}

/** The same with an address on no droplet, and by default one droplet. */
export async function useReserved(options: CustomerOptions = {}): Promise<ReservingCustomer> {
  const customer = await useCustomer({ droplets: 1, ...options });
  return new ReservingCustomer(customer, await customer.account.reserve(customer.world.region));
}
