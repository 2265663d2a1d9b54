import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { ipVersionOf } from '../domain/address.ts';
import { anchorFor, IPV6_ANCHOR_PREFIX } from '../domain/anchor.ts';
import type { AddressRange } from '../platform/config/address-ranges.ts';
import { type CanonicalAddress, canonicalAddressSchema, generationSchema } from './canonical-address.ts';

type SpecialRange = readonly [range: AddressRange, use: string];

/**
 * IPv4 that can be neither a customer's address nor a droplet's, by the special-purpose registry (RFC 6890). Private and
 * documentation addresses are not here: anchors are private, and test beds and demos need the others.
 */
const NEVER_IPV4: readonly SpecialRange[] = [
  [ipaddr.parseCIDR('0.0.0.0/8'), 'an unspecified address'],
  [ipaddr.parseCIDR('127.0.0.0/8'), 'a loopback address'],
  [ipaddr.parseCIDR('169.254.0.0/16'), 'a link-local address'],
  [ipaddr.parseCIDR('192.0.0.0/24'), 'an address of IETF protocols'],
  [ipaddr.parseCIDR('192.88.99.0/24'), 'an address of 6to4 relays'],
  [ipaddr.parseCIDR('224.0.0.0/4'), 'a multicast address'],
  [ipaddr.parseCIDR('240.0.0.0/4'), 'a reserved or broadcast address'],
];

/** IPv6 that may be attached: global unicast, and unique local. All others are special, or given to nobody. */
const POSSIBLE_IPV6: readonly AddressRange[] = [ipaddr.parseCIDR('2000::/3'), ipaddr.parseCIDR('fc00::/7')];

/** Of those the ones that are special all the same. */
const NEVER_IPV6: readonly SpecialRange[] = [
  [ipaddr.parseCIDR('2001::/23'), 'an address of IETF protocols'],
  [ipaddr.parseCIDR('2002::/16'), 'a 6to4 address'],
];

const IPV6_ANCHORS: AddressRange = ipaddr.parseCIDR(IPV6_ANCHOR_PREFIX);

/** What the host's own configuration allows; null allows everything that is not special. */
export interface AllowedRanges {
  addresses?: readonly AddressRange[] | null;
  /** IPv4; the IPv6 anchors follow from them. */
  anchors?: readonly AddressRange[] | null;
}

const attachmentSchema = z.object({
  address: canonicalAddressSchema,
  generation: generationSchema,
  dropletId: z.int().min(1),
  anchor: canonicalAddressSchema,
});

/** Decides what a host may attach, whatever the control plane says. */
export class AttachmentPolicy {
  readonly #allowed: AllowedRanges;
  readonly #schema;

  constructor(allowed: AllowedRanges = {}) {
    this.#allowed = allowed;
    this.#schema = attachmentSchema
      .superRefine((attachment, context) => {
        const message = this.#problemOf(attachment);
        if (message !== null) context.addIssue({ code: 'custom', message });
      })
      .brand<'PermittedAttachment'>();
  }

  /** Parses an attachment from outside; its error says what is not allowed. */
  parse(value: unknown) {
    return this.#schema.safeParse(value);
  }

  /** Why an address may not be attached at all; null when it may. */
  problemOfAddress(address: CanonicalAddress): string | null {
    const special = specialUse(address) ?? (isIn([IPV6_ANCHORS], address) ? 'an anchor' : null);
    if (special !== null) return `${address} is ${special}`;
    const { addresses, anchors } = this.#allowed;
    if (addresses && !isIn(addresses, address)) return `${address} is not in HOST_ADDRESS_RANGES`;
    return anchors && isIn(anchors, address) ? `${address} is an anchor` : null;
  }

  #problemOf({ address, anchor }: { address: CanonicalAddress; anchor: CanonicalAddress }): string | null {
    if (ipVersionOf(address) !== ipVersionOf(anchor)) return `${address} and its anchor ${anchor} differ in IP version`;
    if (address === anchor) return `${address} is its own anchor`;
    return this.problemOfAddress(address) ?? this.#problemOfAnchor(anchor);
  }

  #problemOfAnchor(anchor: CanonicalAddress): string | null {
    const ipv4 = ipv4Of(anchor);
    if (ipv4 === null) return `anchor ${anchor} is not in ${IPV6_ANCHOR_PREFIX}`;
    const special = specialUse(ipv4);
    if (special !== null) return `anchor ${anchor} is ${special}`;
    const { addresses, anchors } = this.#allowed;
    if (anchors && !isIn(anchors, ipv4)) return `anchor ${anchor} is not in HOST_ANCHOR_RANGES`;
    return addresses && isIn(addresses, anchor) ? `anchor ${anchor} is in HOST_ADDRESS_RANGES` : null;
  }
}

/** An attachment that the policy of this host permits: the only thing that a driver attaches. */
export type PermittedAttachment = NonNullable<ReturnType<AttachmentPolicy['parse']>['data']>;

/** What an address is for, when that is nothing that could be attached; null otherwise. */
function specialUse(address: string): string | null {
  if (ipVersionOf(address) === 6 && !isIn(POSSIBLE_IPV6, address)) return 'no unicast address of a network';
  const never = ipVersionOf(address) === 4 ? NEVER_IPV4 : NEVER_IPV6;
  return never.find(([range]) => isIn([range], address))?.[1] ?? null;
}

/** The IPv4 anchor that an anchor is, or that is embedded in it; null when it is no anchor. */
function ipv4Of(anchor: string): string | null {
  if (ipVersionOf(anchor) === 4) return anchor;
  const embedded = new ipaddr.IPv4(ipaddr.IPv6.parse(anchor).toByteArray().slice(-4)).toString();
  return anchorFor(6, embedded) === anchor ? embedded : null;
}

function isIn(ranges: readonly AddressRange[], text: string): boolean {
  const address = ipaddr.parse(text);
  return ranges.some(([network, bits]) => address.kind() === network.kind() && address.match(network, bits));
}
