import ipaddr from 'ipaddr.js';
import { anchorFor } from '../domain/anchor.ts';

const IPV6_PREFIX_BITS = 96;

/** The first address of an anchor range, which is the droplets' gateway, as the two families write it. */
export interface Gateway {
  ipv4: string;
  ipv6: string;
  prefixLength4: number;
  prefixLength6: number;
}

/** The gateway of an anchor range. */
export function gatewayOf(anchorRange: string): Gateway {
  const [network, prefixLength] = ipaddr.IPv4.parseCIDR(anchorRange);
  const octets = network.toByteArray();
  const ipv4 = new ipaddr.IPv4([...octets.slice(0, 3), (octets[3] ?? 0) + 1]).toString();
  return {
    ipv4,
    ipv6: anchorFor(6, ipv4),
    prefixLength4: prefixLength,
    prefixLength6: IPV6_PREFIX_BITS + prefixLength,
  };
}
