import { expect } from 'vitest';

/*
 * Whole bodies as the v2 API has them, for comparing with toEqual: a key too many or too few fails.
 */

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const uuid = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);

/** The body of an error; its request id is that of the answer's header. */
export function expectedError(id: string, message: unknown, headers: Headers) {
  return { id, message, request_id: headers.get('x-request-id') };
}

/** The region of a world. */
export function expectedRegion(slug: string) {
  return {
    name: `Region ${slug}`,
    slug,
    features: ['private_networking', 'metadata'],
    available: true,
    sizes: expect.arrayContaining(['s-1vcpu-1gb']),
  };
}

/** A droplet as {@link World.droplets} makes it; `more` takes the place of what is named in it. */
export function expectedDroplet(
  id: number,
  region: string,
  more: { name?: string; reservedIp?: string; reservedIpv6?: string } = {},
) {
  const { name = expect.any(String), reservedIp, reservedIpv6 } = more;
  const gateway = '10.17.0.1';
  const anchor = {
    ip_address: expect.stringMatching(/^10\.17\.\d+\.\d+$/),
    netmask: '255.255.0.0',
    gateway,
    type: 'private',
  };
  const ipv6 = { ip_address: reservedIpv6, netmask: 128, gateway: 'fd5d:2a1c:7b60::a11:1', type: 'public' };
  const reserved = { ip_address: reservedIp, netmask: '255.255.255.255', gateway, type: 'public' };
  return {
    id,
    name,
    memory: 1024,
    vcpus: 1,
    disk: 25,
    locked: false,
    status: 'active',
    created_at: time,
    features: ['private_networking'],
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [],
    image: {
      id: 0,
      name: 'debian-12-x64',
      type: 'base',
      distribution: 'Debian',
      slug: 'debian-12-x64',
      public: true,
      regions: [region],
      created_at: time,
      min_disk_size: 0,
      size_gigabytes: 0,
      description: '',
      tags: [],
      status: 'available',
    },
    volume_ids: [],
    size: {
      slug: 's-1vcpu-1gb',
      memory: 1024,
      vcpus: 1,
      disk: 25,
      transfer: 1,
      price_monthly: 6,
      price_hourly: expect.any(Number),
      regions: [region],
      available: true,
      description: 'Basic',
    },
    size_slug: 's-1vcpu-1gb',
    networks: {
      v4: reservedIp === undefined ? [anchor] : [reserved, anchor],
      v6: reservedIpv6 === undefined ? [] : [ipv6],
    },
    region: expectedRegion(region),
    tags: [],
    vpc_uuid: expect.any(String),
  };
}

/** An unassigned, idle reserved IP; `more` takes the place of what is named in it. */
export function expectedAddress(ip: unknown, region: string, more: { droplet?: unknown; locked?: boolean } = {}) {
  return { ip, region: expectedRegion(region), droplet: null, locked: false, project_id: uuid, ...more };
}

/** An unassigned reserved IPv6; `more` takes the place of what is named in it. */
export function expectedIpv6Address(ip: unknown, region: string, more: { droplet?: unknown } = {}) {
  return { ip, region_slug: region, reserved_at: time, droplet: null, ...more };
}

/** A completed action about an address or a droplet; `more` takes the place of what is named in it. */
export function expectedAction(
  subject: { type: string; resource_type: string; resource_id: unknown },
  region: string,
  more: { id?: number; status?: string; completed_at?: unknown } = {},
) {
  return {
    id: expect.any(Number),
    status: 'completed',
    started_at: time,
    completed_at: time,
    region: expectedRegion(region),
    region_slug: region,
    ...subject,
    ...more,
  };
}

/** The `resource_id` of an IPv4 address: its four bytes as one unsigned number. */
export function resourceIdOf(ip: string): number {
  return ip.split('.').reduce((number, octet) => number * 256 + Number(octet), 0);
}
