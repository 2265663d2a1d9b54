import type { Account } from '../../dev/kit/account.ts';
import type { ManualHost } from '../../dev/kit/manual-host.ts';
import { useWorld, type World, type WorldOptions } from './world.ts';

/** A customer of the running test with a world of their own. */
export interface Customer {
  world: World;
  account: Account;
  /** The first host whose answers the test decides. */
  host: ManualHost | undefined;
  /** The first droplet, 0 when there is none. */
  droplet: number;
  droplets: number[];
}

/** Makes a world for the running test, and in it a customer with so many droplets; default none. */
export async function useCustomer({
  droplets: count = 0,
  ...options
}: WorldOptions & { droplets?: number } = {}): Promise<Customer> {
  const world = await useWorld(options);
  const account = await world.account();
  const droplets = await world.droplets(account, count);
  return { world, account, host: world.manualHosts[0], droplet: droplets[0] ?? 0, droplets };
}

/** The same with an address on no droplet, and by default one droplet. */
export async function useReserved({
  droplets = 1,
  ...options
}: WorldOptions & { droplets?: number } = {}): Promise<Customer & { ip: string }> {
  const customer = await useCustomer({ droplets, ...options });
  return { ...customer, ip: await customer.account.reserve(customer.world.region) };
}
