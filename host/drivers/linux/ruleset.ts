import type { DeviceName } from './uplink.ts';

/** The one table of the packet filter that belongs to the agent. Nothing outside of it is ever changed. */
export const TABLE = 'reserved_ip';

/** Connection label of what was translated on its way in, and on its way out. Numbers that others do not use. */
const LABELS = { inbound: 100, outbound: 101 } as const;

/**
 * The table without its elements, for `nft -f`. It may be loaded again at any time, in one transaction: sets keep their
 * elements, rules are replaced.
 *
 * - Packets for a reserved address go to its droplet's anchor; those of the droplet leave with the reserved address.
 *   Between droplets of one host the same holds, so that each sees the other's public face.
 * - A connection lasts as long as the attachment that it was translated by. The kernel would otherwise go on translating
 *   an established one to the droplet that had the address before.
 * - What reaches the host itself for a reserved address, and is no answer to the host, was not translated because it
 *   belongs to no connection: the host must not answer for its customer. Neighbours may ask for the address all the same.
 */
export function baseRuleset(uplink: DeviceName): string {
  const ipVersions = [
    { ip: 'ip', number: 4 },
    { ip: 'ip6', number: 6 },
  ];
  const each = (line: (ip: string, number: number) => string) =>
    ipVersions.map(({ ip, number }) => line(ip, number)).join('\n');
  return `
table inet ${TABLE} {
${each(
  (ip, number) => `
  set addresses${number} { typeof ${ip} daddr; }
  map inbound${number} { typeof ${ip} daddr : ${ip} daddr; }
  map outbound${number} { typeof ${ip} saddr : ${ip} saddr; }
  set attached${number} { typeof ${ip} daddr . ${ip} daddr; }`,
)}

  chain inbound { type nat hook prerouting priority dstnat - 10; policy accept; }
  chain inbound_of_host { type nat hook output priority -110; policy accept; }
  chain outbound { type nat hook postrouting priority srcnat - 10; policy accept; }
  chain forwarded { type filter hook forward priority filter - 10; policy accept; }
  chain untranslated { type filter hook input priority filter - 10; policy accept; }
  chain outlived { }
}
flush chain inet ${TABLE} inbound
flush chain inet ${TABLE} inbound_of_host
flush chain inet ${TABLE} outbound
flush chain inet ${TABLE} forwarded
flush chain inet ${TABLE} untranslated
flush chain inet ${TABLE} outlived
table inet ${TABLE} {
  chain inbound {
${each((ip, number) => `    dnat ${ip} to ${ip} daddr map @inbound${number}`)}
  }
  chain inbound_of_host {
${each((ip, number) => `    dnat ${ip} to ${ip} daddr map @inbound${number}`)}
  }
  chain outbound {
${each((ip, number) => `    oifname "${uplink}" snat ${ip} to ${ip} saddr map @outbound${number}`)}
${each((ip, number) => {
  const hairpin = `iifname != "${uplink}" ct original ${ip} daddr . ct reply ${ip} saddr @attached${number}`;
  return `    ${hairpin} snat ${ip} to ${ip} saddr map @outbound${number}
    ${hairpin} masquerade`;
})}
  }
  chain forwarded {
${each(
  (ip, number) => `
    ct label ${LABELS.inbound} ct original ${ip} daddr . ct reply ${ip} saddr != @attached${number} goto outlived
    ct label ${LABELS.outbound} ct reply ${ip} daddr . ct original ${ip} saddr != @attached${number} goto outlived
    ct original ${ip} daddr . ct reply ${ip} saddr @attached${number} ct label set ${LABELS.inbound}
    ct reply ${ip} daddr . ct original ${ip} saddr @attached${number} ct label set ${LABELS.outbound}`,
)}
  }
  chain outlived {
    meta l4proto tcp reject with tcp reset
    drop
  }
  chain untranslated {
    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
${each(
  (ip, number) => `    ${ip} daddr @addresses${number} ct state established,related accept
    ${ip} daddr @addresses${number} drop`,
)}
  }
}
`;
}
