import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type Address, ipVersionOf, parseAddress } from '../../../domain/address.ts';
import type { SystemCommands } from './command.ts';
import { OWN_METRIC } from './uplink.ts';

const devicesSchema = z.array(
  z.object({
    ifname: z.string().optional(),
    addr_info: z
      .array(z.object({ local: z.string().optional(), prefixlen: z.int().min(0).max(128), metric: z.int().optional() }))
      .default([]),
  }),
);

const hopSchema = z.object({
  gateway: z.string().optional(),
  via: z.object({ host: z.string().optional() }).optional(),
});
const routesSchema = z.array(hopSchema.extend({ nexthops: z.array(hopSchema).default([]) }));

/** What a host needs for itself: address, and what it is there. Nothing of it may be attached, nor be an anchor. */
export type OwnNetwork = ReadonlyMap<Address, string>;

/**
 * Reads the addresses of all devices, without those that the agent has put on the uplink, the first and the last address
 * of the networks that they are in, and all routers that a route leads to.
 */
export async function readOwnNetwork(commands: SystemCommands, uplink: string): Promise<OwnNetwork> {
  const read = async (...words: string[]): Promise<unknown> => JSON.parse((await commands.run('ip', words)) || '[]');
  const [devices, ...routes] = await Promise.all([
    read('-j', 'address', 'show'),
    read('-j', '-4', 'route', 'show', 'table', 'all'),
    read('-j', '-6', 'route', 'show', 'table', 'all'),
  ]);
  const own = new Map<Address, string>();
  const add = (text: string | undefined, what: string) => {
    const address = parseAddress(text ?? '');
    if (address !== null && !own.has(address)) own.set(address, what);
  };
  for (const { ifname = 'a device', addr_info } of devicesSchema.parse(devices)) {
    for (const { local, prefixlen, metric } of addr_info) {
      if (metric === OWN_METRIC && ifname === uplink) continue;
      add(local, `on ${ifname} already, and not by this agent`);
      for (const edge of edgesOf(local, prefixlen)) add(edge, `the first or last address of the network on ${ifname}`);
    }
  }
  for (const { nexthops, ...route } of routes.flatMap((listing) => routesSchema.parse(listing))) {
    for (const { gateway, via } of [route, ...nexthops]) add(gateway ?? via?.host, 'a router of this host');
  }
  return own;
}

/** The addresses of a network that no machine has: of IPv6 only the first one, for the routers (RFC 4291, 2.6.1). */
function edgesOf(local: string | undefined, prefixLength: number): string[] {
  const address = parseAddress(local ?? '');
  if (address === null) return [];
  const cidr = `${address}/${prefixLength}`;
  if (ipVersionOf(address) === 6) {
    return prefixLength > 126 ? [] : [ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String()];
  }
  if (prefixLength > 30) return [];
  return [ipaddr.IPv4.networkAddressFromCIDR(cidr).toString(), ipaddr.IPv4.broadcastAddressFromCIDR(cidr).toString()];
}
