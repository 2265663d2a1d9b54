import { z } from '@hono/zod-openapi';
import type { ResourceType } from '../../../domain/operation.ts';
import { ipv4InPath } from '../../schemas/fields.ts';

/** The two families of paths under which clients know the same reserved IPv4 addresses. */
export interface Flavour {
  path: '/v2/reserved_ips' | '/v2/floating_ips';
  /** Key of one address in an answer, and the name of the path's parameter. */
  one: 'reserved_ip' | 'floating_ip';
  /** Key of a list of addresses in an answer. */
  many: 'reserved_ips' | 'floating_ips';
  /** What actions below these paths say that they are about. */
  resourceType: ResourceType;
  /** Heading in the OpenAPI document, and first part of its operation ids. */
  tag: string;
  operationPrefix: string;
}

export const RESERVED_IPS: Flavour = {
  path: '/v2/reserved_ips',
  one: 'reserved_ip',
  many: 'reserved_ips',
  resourceType: 'reserved_ip',
  tag: 'Reserved IPs',
  operationPrefix: 'reservedIPs',
};

export const FLOATING_IPS: Flavour = {
  path: '/v2/floating_ips',
  one: 'floating_ip',
  many: 'floating_ips',
  resourceType: 'floating_ip',
  tag: 'Floating IPs',
  operationPrefix: 'floatingIPs',
};

/** The address in the path. */
export const addressParameter = z.object({ ip: ipv4InPath });
