import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * The party that an address belongs to: itself, or for IPv6 the network of 64 bits, all of which one machine can use.
 */
export function partyOfAddress(address: string): string {
  if (!isIPv6(address)) return address;
  return `${ipaddr.IPv6.parse(address)
    .parts.slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
}

/** An IPv4 address that a socket for both versions shows in IPv6 form is that IPv4 address. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}
