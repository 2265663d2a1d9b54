import { BlockList, isIPv4 } from 'node:net';
import type { SeededRandom } from '../../dev/kit/random.ts';

/** Addresses that no host may attach, each with why. */
export const HOSTILE_ADDRESSES: readonly [address: string, why: string][] = [
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.250', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['240.0.0.1', 'reserved'],
  ['169.254.169.254', 'link-local: the metadata service of clouds'],
  ['192.0.0.8', 'IETF protocols'],
  ['localhost', 'a name'],
  ['example', 'a name'],
  ['127.1', 'short form'],
  ['203.0.113', 'short form'],
  ['3405803783', 'decimal form'],
  ['0xcb.0.113.7', 'hexadecimal form'],
  ['0x7f000001', 'hexadecimal form'],
  ['0313.0.0161.07', 'octal form'],
  ['203.0.113.07', 'leading zero'],
  ['203.000.113.7', 'leading zeros'],
  ['２０３.0.113.7', 'full-width digits'],
  ['٢٠٣.0.113.7', 'Arabic digits'],
  ['203。0。113。7', 'ideographic dots'],
  ['203.0.113.7/32', 'a range'],
  ['203.0.113.7/0', 'a range'],
  ['203.0.113.7-203.0.113.9', 'a range'],
  ['203.0.113.7:80', 'a port'],
  [' 203.0.113.7', 'a space'],
  ['203.0.113.7 ', 'a space'],
  ['203.0.113.7\n', 'a line end'],
  ['203.0.113.7\n198.51.100.1 99', 'a line of its own'],
  ['203.0.113.7\r\n["198.51.100.1",99]', 'a line of its own'],
  ['203.0.113.7 dev eth0\naddress add 198.51.100.9/32', 'a command of its own'],
  ['203.0.113.7\u0000', 'NUL'],
  ['203.0.113.7\u2028', 'line separator'],
  ['-6', 'an option'],
  ['', 'nothing'],
  ['::', 'unspecified'],
  ['::1', 'loopback'],
  ['::203.0.113.7', 'IPv4-compatible'],
  ['::cb00:7107', 'IPv4-compatible'],
  ['::ffff:203.0.113.7', 'IPv4-mapped'],
  ['::ffff:cb00:7107', 'IPv4-mapped'],
  ['::ffff:0:cb00:7107', 'IPv4-translated'],
  ['64:ff9b::cb00:7107', 'NAT64'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'a zone'],
  ['2001:db8::1%eth0', 'a zone'],
  ['fec0::1', 'site-local'],
  ['ff02::1', 'multicast'],
  ['ff0e::1', 'multicast'],
  ['100::1', 'discard-only'],
  ['2001::1', 'Teredo'],
  ['2001:10::1', 'ORCHID'],
  ['2002:cb00:7107::1', '6to4'],
  ['4000::1', 'not given to anybody'],
  ['2001:DB8::1', 'upper case'],
  ['2001:0db8::1', 'leading zero'],
  ['2001:db8:0:0:0:0:0:1', 'not compressed'],
  ['2001:db8::0:1', 'compressed differently'],
  ['2001:db8:0::1', 'compressed differently'],
  ['2001:db8::192.0.2.1', 'dotted end'],
  ['2001:db8::1/128', 'a range'],
  ['[2001:db8::1]', 'brackets'],
  ['fd5d:2a1c:7b60::a11:2', 'an anchor'],
];

/** A list for each IP version: in one, an IPv4 address would count as the IPv6 one that it is mapped to. */
const FORBIDDEN = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const range of ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '192.88.99.0/24', '224.0.0.0/3']) {
  forbid('ipv4', range);
}
for (const range of ['::/3', '4000::/2', '8000::/2', 'c000::/3', 'e000::/4', 'f000::/5', 'f800::/6', 'fe00::/7']) {
  forbid('ipv6', range);
}
for (const range of ['2001::/23', '2002::/16']) forbid('ipv6', range);

function forbid(version: 'ipv4' | 'ipv6', range: string): void {
  const [network = '', prefix] = range.split('/');
  FORBIDDEN[version].addSubnet(network, Number(prefix), version);
}

/** Whether an address is canonical and not special: by other means than the agent's own. */
export function mayBeAttached(address: string): boolean {
  if (isIPv4(address)) {
    return address.split('.').map(Number).join('.') === address && !FORBIDDEN.ipv4.check(address, 'ipv4');
  }
  if (!/^[0-9a-f:]+$/.test(address) || !URL.canParse(`http://[${address}]/`)) return false;
  return new URL(`http://[${address}]/`).hostname === `[${address}]` && !FORBIDDEN.ipv6.check(address, 'ipv6');
}

const HOSTILE_NUMBERS = [
  ...[
    '-1',
    '0',
    '-0',
    '1.5',
    '1e400',
    '-1e400',
    '9007199254740992',
    '9007199254740993',
    '1e21',
    '2e308',
    '18446744073709551616',
  ],
  ...['"1"', '"NaN"', '"Infinity"', '"0x1"', '"１"', 'null', 'true', '[]', '[1]', '{}', '{"valueOf":1}', '""'],
];
const HOSTILE_JSON = [
  ...['null', 'true', '0', '-1', '1e400', '""', '[]', '{}', '[[[[[[]]]]]]', '{"__proto__":{"address":"203.0.113.7"}}'],
  ...[
    '"attach"',
    '"toString"',
    '{"toString":null}',
    `"${'A'.repeat(20_000)}"`,
    `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  ],
];

/** JSON text of values that a control plane should never send, among those that it should. */
export class HostileValues {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** One event: right, or wrong in some of its fields. */
  event(sequence: number): string {
    const address = this.#address();
    const fields: [string, string][] = [
      ['sequence', this.#number(String(sequence))],
      ['change', this.#value('"attach"', '"detach"')],
      ['address', address],
      ['generation', this.#number(String(this.#random.below(50)))],
      ['droplet_id', this.#number('11')],
      ['anchor', this.#address(address.startsWith('"2001:db8::') ? 'fd5d:2a1c:7b60::a00:1' : '10.0.0.1')],
      ['issued_at', this.#value('"2026-11-22T00:10:00.123Z"')],
    ];
    return this.#object(fields);
  }

  /** One entry of a desired state, or of the events that failed. */
  entry(): string {
    const fields: [string, string][] = [
      ['sequence', this.#number('1')],
      ['change', this.#value('"attach"', '"detach"')],
      ['address', this.#address()],
      ['generation', this.#number(String(this.#random.below(50)))],
      ['droplet_id', this.#number('11')],
      ['anchor', this.#address('10.0.0.1')],
    ];
    return this.#object(fields);
  }

  #object(fields: [string, string][]): string {
    const chance = this.#random.below(20);
    if (chance === 0) return this.#random.from(HOSTILE_JSON);
    const kept = chance === 1 ? fields.filter(() => this.#random.below(3) > 0) : fields;
    // The last of two fields of one name counts.
    const extra: [string, string][] =
      chance === 2 ? [['__proto__', '{"generation":1}'], this.#random.from(fields)] : [];
    return `{${[...kept, ...extra].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
  }

  #address(usual = `203.0.113.${this.#random.below(250)}`): string {
    const chance = this.#random.below(10);
    if (chance === 0) return this.#random.from(HOSTILE_JSON);
    if (chance > 4) return JSON.stringify(usual);
    if (chance === 4) return JSON.stringify(`2001:db8::${(1 + this.#random.below(9)).toString(16)}`);
    return JSON.stringify(this.#mutated(this.#random.from(HOSTILE_ADDRESSES)[0]));
  }

  #mutated(text: string): string {
    if (this.#random.below(3) > 0) return text;
    const at = this.#random.below(text.length + 1);
    const insert = this.#random.from(['0', '\n', '\u0000', ' ', '%', '/', ':', '.', '\u202e', '9', 'x', '-']);
    return text.slice(0, at) + insert + text.slice(at);
  }

  #number(usual: string): string {
    return this.#random.below(12) === 0 ? this.#random.from(HOSTILE_NUMBERS) : usual;
  }

  #value(...usual: string[]): string {
    return this.#random.below(12) === 0 ? this.#random.from(HOSTILE_JSON) : this.#random.from(usual);
  }
}
