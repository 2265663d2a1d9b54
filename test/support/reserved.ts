import type { Account } from '../../dev/kit/account.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
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

/** Makes a world for the running test, and in it a customer with so many droplets; default none. */
export async function useCustomer({
  droplets = 0,
  ...options
}: WorldOptions & { droplets?: number } = {}): Promise<Customer> {
  const world = await useWorld(options);
  const account = await world.account();
  return new Customer(world, account, await world.droplets(account, droplets));
}

/** The same with an address on no droplet, and by default one droplet. */
export async function useReserved({
  droplets = 1,
  ...options
}: WorldOptions & { droplets?: number } = {}): Promise<ReservingCustomer> {
  const customer = await useCustomer({ droplets, ...options });
  return new ReservingCustomer(customer, await customer.account.reserve(customer.world.region));
}
