import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** A range of addresses, as ipaddr.js matches it. */
export type AddressRange = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A comma-separated list of ranges in CIDR form. Host bits must be zero, so that a slip of the prefix shows. */
export const addressRangesSchema = z.string().transform((text, context): AddressRange[] =>
  text.split(',').flatMap((part) => {
    const range = readRange(part.trim());
    if (range !== null) return [range];
    const message = `${JSON.stringify(part.trim())} is no range such as 203.0.113.0/24 or 2001:db8::/64`;
    context.addIssue({ code: 'custom', message });
    return [];
  }),
);

/** The same of IPv4 only: the IPv6 anchors follow from these. */
export const anchorRangesSchema = addressRangesSchema.refine(
  (ranges) => ranges.every(([network]) => network instanceof ipaddr.IPv4),
  'takes IPv4 ranges only; the IPv6 anchors follow from them',
);

/** Rejects ranges of which an address could be a customer's and an anchor at once. */
export function assertRangesApart(
  settings: { HOST_ADDRESS_RANGES?: AddressRange[] | undefined; HOST_ANCHOR_RANGES?: AddressRange[] | undefined },
  context: z.core.$RefinementCtx,
): void {
  const { HOST_ADDRESS_RANGES: addresses = [], HOST_ANCHOR_RANGES: anchors = [] } = settings;
  if (!addresses.some((one) => anchors.some((other) => overlap(one, other)))) return;
  context.addIssue({ code: 'custom', path: ['HOST_ANCHOR_RANGES'], message: 'overlaps with HOST_ADDRESS_RANGES' });
}

function overlap([first, firstBits]: AddressRange, [second, secondBits]: AddressRange): boolean {
  const bits = Math.min(firstBits, secondBits);
  if (first instanceof ipaddr.IPv4) return second instanceof ipaddr.IPv4 && first.match(second, bits);
  return second instanceof ipaddr.IPv6 && first.match(second, bits);
}

function readRange(text: string): AddressRange | null {
  if (!/^[0-9a-f.:]{2,45}\/[0-9]{1,3}$/i.test(text)) return null;
  const isIPv4 = ipaddr.IPv4.isValidCIDRFourPartDecimal(text);
  if (!isIPv4 && !ipaddr.IPv6.isValidCIDR(text)) return null;
  const [address, bits] = ipaddr.parseCIDR(text);
  const network = isIPv4 ? ipaddr.IPv4.networkAddressFromCIDR(text) : ipaddr.IPv6.networkAddressFromCIDR(text);
  return network.toString() === address.toString() ? [address, bits] : null;
}
