import type { Account } from '../../dev/kit/account.ts';
import { useWorld, type World, type WorldOptions } from './world.ts';

/** A customer of the running test with an address on no droplet, and droplets in its region. */
export interface Reserved {
  world: World;
  account: Account;
  ip: string;
  /** The first droplet. */
  droplet: number;
  droplets: number[];
}

/** Makes a world for the running test, and in it a customer with an address and droplets; default one droplet. */
export async function useReserved({
  droplets: count = 1,
  ...options
}: WorldOptions & { droplets?: number } = {}): Promise<Reserved> {
  const world = await useWorld(options);
  const account = await world.account();
  const droplets = await world.droplets(account, count);
  const [droplet = 0] = droplets;
  return { world, account, ip: await account.reserve(world.region), droplet, droplets };
}
