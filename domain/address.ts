import ipaddr from 'ipaddr.js';

/** IP version of an address. */
export type IpVersion = 4 | 6;

/** An address in its canonical text form: dotted quad, or RFC 5952 for IPv6. */
export type Address = string;

/**
 * Reads an address a client wrote. IPv6 is decoded and canonicalised (RFC 5952).
 * Answers null for anything that is not exactly one address: no ports, no zones, no octal or shortened IPv4.
 */
export function parseAddress(text: string): Address | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text).toString();
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return null;
  const end = text.slice(text.lastIndexOf(':') + 1);
  if (end.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(end)) return null;
  return ipaddr.IPv6.parse(text).toRFC5952String();
}

/** The IP version of a canonical address. */
export function ipVersionOf(address: Address): IpVersion {
  return address.includes(':') ? 6 : 4;
}

/** The bytes that the database stores: 4 for IPv4, 16 for IPv6, network order. */
export function addressToBytes(address: Address): Buffer {
  return Buffer.from(ipaddr.parse(address).toByteArray());
}

/** Inverse of {@link addressToBytes}. */
export function addressFromBytes(bytes: Buffer): Address {
  const parsed = ipaddr.fromByteArray([...bytes]);
  return parsed instanceof ipaddr.IPv6 ? parsed.toRFC5952String() : parsed.toString();
}

/**
 * The `resource_id` that v2 actions carry for an address: IPv4 as an unsigned 32-bit integer
 * (45.55.96.47 is 758603823). IPv6 has no such number; null.
 */
export function addressToResourceId(address: Address): number | null {
  return ipVersionOf(address) === 4 ? addressToBytes(address).readUInt32BE(0) : null;
}
