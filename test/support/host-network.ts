import { z } from 'zod';
import type { BedHost } from '../../dev/testbed/bed-host.ts';

const element = z.union([
  z.string(),
  z.tuple([z.string(), z.string()]),
  z.object({ elem: z.object({ val: z.object({ concat: z.tuple([z.string(), z.string()]) }) }) }),
]);
const tableSchema = z.object({
  nftables: z.array(
    z.object({
      set: z.object({ name: z.string(), elem: z.array(element).default([]) }).optional(),
      map: z.object({ name: z.string(), elem: z.array(element).default([]) }).optional(),
    }),
  ),
});
const uplinkSchema = z.array(
  z.object({ addr_info: z.array(z.object({ local: z.string(), prefixlen: z.int(), scope: z.string() })) }),
);

/** What a host really does for reserved addresses, read with the system's own tools and not by the driver. */
export interface HostNetwork {
  /** `<address> <anchor>` of what is translated on its way in, sorted. */
  inbound: string[];
  /** The same for what is translated on its way out. */
  outbound: string[];
  /** The same for what connections are held against. */
  attached: string[];
  /** Reserved addresses that the kernel announces, sorted. */
  announcing: string[];
}

/** Reads the network of a host in the test bed. */
export async function readHostNetwork({ namespace }: BedHost): Promise<HostNetwork> {
  const [listing, uplink] = await Promise.all([
    namespace.run('nft', ['-j', 'list', 'table', 'inet', 'reserved_ip']).catch(() => '{"nftables":[]}'),
    namespace.run('ip', ['-j', 'address', 'show', 'dev', 'uplink']),
  ]);
  const sets = tableSchema.parse(JSON.parse(listing)).nftables.flatMap(({ set, map }) => set ?? map ?? []);
  const pairsOf = (name: string) =>
    sets
      .filter((set) => set.name.startsWith(name) && set.name.length === name.length + 1)
      .flatMap(({ elem }) => elem)
      .map((one): [string, string] => {
        if (typeof one === 'string') return [one, ''];
        return Array.isArray(one) ? one : one.elem.val.concat;
      });
  const [device] = uplinkSchema.parse(JSON.parse(uplink));
  const single =
    device?.addr_info.filter(({ local, prefixlen }) => prefixlen === (local.includes(':') ? 128 : 32)) ?? [];
  return {
    inbound: pairsOf('inbound')
      .map(([address, anchor]) => `${address} ${anchor}`)
      .sort(),
    outbound: pairsOf('outbound')
      .map(([anchor, address]) => `${address} ${anchor}`)
      .sort(),
    attached: pairsOf('attached')
      .map(([address, anchor]) => `${address} ${anchor}`)
      .sort(),
    announcing: single.map(({ local }) => local).sort(),
  };
}

/** What the network of a host is to be that has these attachments and nothing else. */
export function networkOf(attachments: readonly { address: string; anchor: string }[]): HostNetwork {
  const pairs = attachments.map(({ address, anchor }) => `${address} ${anchor}`).sort();
  return {
    inbound: pairs,
    outbound: pairs,
    attached: pairs,
    announcing: attachments.map(({ address }) => address).sort(),
  };
}
