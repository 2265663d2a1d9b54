import { z } from '@hono/zod-openapi';
import type { ReservedIpRecord } from '../../../db/reserved-ips.ts';
import type { Address } from '../../../domain/address.ts';
import type { ResourceType } from '../../../domain/operation.ts';
import { presentReservedIp, presentReservedIpv6 } from '../../presenters/reserved-ip.ts';
import { ipv4InPath, ipv6InPath } from '../../schemas/fields.ts';
import {
  type ReservedIpBody,
  type ReservedIpv6Body,
  reservedIpSchema,
  reservedIpv6Schema,
} from '../../schemas/reserved-ip.ts';

/**
 * The sets of paths under which clients know reserved addresses: the same IPv4 addresses under two names, and the IPv6
 * addresses.
 */
export interface NamedResource<Body = ReservedIpBody | ReservedIpv6Body> {
  path: '/v2/reserved_ips' | '/v2/floating_ips' | '/v2/reserved_ipv6';
  /** Key of one address in an answer. */
  one: 'reserved_ip' | 'floating_ip' | 'reserved_ipv6';
  /** Key of a list of addresses in an answer. */
  many: 'reserved_ips' | 'floating_ips' | 'reserved_ipv6s';
  /** What actions below these paths say that they are about. */
  resourceType: ResourceType;
  /** Heading in the OpenAPI document, and first part of its operation ids. */
  tag: string;
  operationPrefix: string;
  /** What a DELETE does, in the OpenAPI document. */
  releaseSummary: string;
  /** The address in the path. */
  parameter: z.ZodObject<{ ip: z.ZodType<Address, string> }>;
  /** An address in an answer. */
  schema: z.ZodType<Body>;
  present(reserved: ReservedIpRecord): Body;
}

const IPV4 = {
  releaseSummary: 'Give an address back, also one that is assigned',
  parameter: z.object({ ip: ipv4InPath }),
  schema: reservedIpSchema,
  present: presentReservedIp,
};

export const RESERVED_IPS: NamedResource<ReservedIpBody> = {
  path: '/v2/reserved_ips',
  one: 'reserved_ip',
  many: 'reserved_ips',
  resourceType: 'reserved_ip',
  tag: 'Reserved IPs',
  operationPrefix: 'reservedIPs',
  ...IPV4,
};

export const FLOATING_IPS: NamedResource<ReservedIpBody> = {
  path: '/v2/floating_ips',
  one: 'floating_ip',
  many: 'floating_ips',
  resourceType: 'floating_ip',
  tag: 'Floating IPs',
  operationPrefix: 'floatingIPs',
  ...IPV4,
};

export const RESERVED_IPV6: NamedResource<ReservedIpv6Body> = {
  path: '/v2/reserved_ipv6',
  one: 'reserved_ipv6',
  many: 'reserved_ipv6s',
  resourceType: 'reserved_ipv6',
  tag: 'Reserved IPv6',
  operationPrefix: 'reservedIPv6',
  releaseSummary: 'Give an address back; one that is assigned must be unassigned first',
  parameter: z.object({ ip: ipv6InPath }),
  schema: reservedIpv6Schema,
  present: presentReservedIpv6,
};
