import ipaddr from 'ipaddr.js';
import { type Address, addressFromBytes, addressToBytes, type IpVersion } from './address.ts';

/** The unique-local range (RFC 4193) that holds the IPv6 anchors of all droplets. */
export const IPV6_ANCHOR_PREFIX = 'fd5d:2a1c:7b60::/96';

const [prefix, prefixLength] = ipaddr.IPv6.parseCIDR(IPV6_ANCHOR_PREFIX);
const PREFIX_BYTES = prefix.toByteArray().slice(0, prefixLength / 8);

/**
 * The anchor of a droplet for reserved IPs of a family, from its IPv4 anchor: that one itself for IPv4, and for IPv6
 * the same 32 bits behind {@link IPV6_ANCHOR_PREFIX}. 10.17.0.2 becomes fd5d:2a1c:7b60::a11:2.
 */
export function anchorFor(ipVersion: IpVersion, anchor: Address): Address {
  if (ipVersion === 4) return anchor;
  return addressFromBytes(Buffer.from([...PREFIX_BYTES, ...addressToBytes(anchor)]));
}

/** The droplets' gateway on their host, as anchors of a family see it: the first address of the host's anchor range. */
export function gatewayOf(ipVersion: IpVersion, anchorRange: string): Address {
  const octets = ipaddr.IPv4.networkAddressFromCIDR(anchorRange).toByteArray();
  return anchorFor(ipVersion, new ipaddr.IPv4([...octets.slice(0, 3), (octets[3] ?? 0) + 1]).toString());
}

/** How many bits of an anchor of a family are the host's and not the droplet's own. */
export function anchorPrefixLength(ipVersion: IpVersion, anchorRange: string): number {
  const [, hostBits] = ipaddr.IPv4.parseCIDR(anchorRange);
  return ipVersion === 4 ? hostBits : prefixLength + hostBits;
}
