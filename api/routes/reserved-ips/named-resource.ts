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
 * A resource name under which clients know reserved addresses, with its paths and forms: the same IPv4 addresses have two
 * names, and the IPv6 addresses one.
 */
export interface NamedResource<Body = ReservedIpBody | ReservedIpv6Body> {
  path: '/v2/reserved_ips' | '/v2/floating_ips' | '/v2/reserved_ipv6';
  /** Key of one address in an answer. */
  one: 'reserved_ip' | 'floating_ip' | 'reserved_ipv6';
  /** Key of a list of addresses in an answer. */
  many: 'reserved_ips' | 'floating_ips' | 'reserved_ipv6s';
  /** The `resource_type` of actions below these paths. */
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
  releaseSummary: 'Release an address; an assigned one is unassigned first',
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
  releaseSummary: 'Release an address; unassign an assigned one first',
  parameter: z.object({ ip: ipv6InPath }),
  schema: reservedIpv6Schema,
  present: presentReservedIpv6,
};
