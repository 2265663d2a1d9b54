import {
  addressFromBytes,
  addressToBytes,
  type IpVersion,
  ipVersionOf,
  parseAddress,
} from '../../../domain/address.ts';

/** The largest range of one import; more would be one transaction of millions of rows. */
const MOST_HOST_BITS = 16;

/** The first 96 bits of `::ffff:0:0/96`, whose addresses are those of IPv4 written in another way. */
const IPV4_MAPPED = 0xffffn;

/** An address range in CIDR form, checked. */
export interface AddressRange {
  /** In its canonical form. */
  cidr: string;
  ipVersion: IpVersion;
  /** First and last address of the whole range, as bytes. */
  first: Buffer;
  last: Buffer;
  /** Counts what may be handed out, one after the other. */
  addresses: () => Iterable<Buffer>;
}

/** What a range must be. */
export interface RangeLimits {
  ipVersions: IpVersion[];
  /** Most bits behind the prefix; default 16. */
  mostHostBits?: number;
}

/**
 * Reads a range such as `203.0.113.0/24`. Throws a RangeError that says what is wrong: no CIDR at all, bits set behind
 * the prefix, too large a range, or a family that is not wanted.
 */
export function parseAddressRange(
  text: string,
  { ipVersions, mostHostBits = MOST_HOST_BITS }: RangeLimits,
): AddressRange {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = parseAddress(match?.[1] ?? '');
  const prefix = Number(match?.[2]);
  if (!address || !match) throw new RangeError(`${text} is not an address range in CIDR form.`);
  const ipVersion = ipVersionOf(address);
  const bits = ipVersion === 4 ? 32 : 128;
  if (prefix > bits) throw new RangeError(`The prefix of ${text} may be /${bits} at most.`);
  if (!ipVersions.includes(ipVersion))
    throw new RangeError(`${text} must be an IPv${ipVersions.join(' or IPv')} range.`);
  if (prefix < bits - mostHostBits)
    throw new RangeError(`The prefix of ${text} must be /${bits - mostHostBits} or longer.`);
  const first = toNumber(address);
  if (ipVersion === 6 && first >> 32n === IPV4_MAPPED) throw new RangeError(`Write ${text} as an IPv4 range.`);
  const size = 1n << BigInt(bits - prefix);
  const canonical = addressFromBytes(toBytes(first - (first % size), ipVersion));
  if (first % size !== 0n)
    throw new RangeError(`${text} has bits set behind its prefix; the range is ${canonical}/${prefix}.`);
  const last = first + size - 1n;
  const reserved = unusable(ipVersion, size);
  return {
    cidr: `${canonical}/${prefix}`,
    ipVersion,
    first: toBytes(first, ipVersion),
    last: toBytes(last, ipVersion),
    addresses: () => count(first + reserved.atStart, last - reserved.atEnd, ipVersion),
  };
}

/** Network and broadcast address, which a range of one or two addresses has not; of IPv6 the routers' anycast address. */
function unusable(ipVersion: IpVersion, size: bigint): { atStart: bigint; atEnd: bigint } {
  if (size <= 2n) return { atStart: 0n, atEnd: 0n };
  return { atStart: 1n, atEnd: ipVersion === 4 ? 1n : 0n };
}

function* count(first: bigint, last: bigint, ipVersion: IpVersion): Generator<Buffer> {
  for (let current = first; current <= last; current++) yield toBytes(current, ipVersion);
}

function toNumber(address: string): bigint {
  return BigInt(`0x${addressToBytes(address).toString('hex')}`);
}

function toBytes(number: bigint, ipVersion: IpVersion): Buffer {
  const length = ipVersion === 4 ? 4 : 16;
  return Buffer.from(number.toString(16).padStart(length * 2, '0'), 'hex');
}
