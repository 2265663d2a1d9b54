import type { ReservedIpRecord } from '../../db/reserved-ips.ts';
import type { ReservedIpBody, ReservedIpv6Body } from '../schemas/reserved-ip.ts';
import { presentDroplet } from './droplet.ts';
import { presentRegion } from './region.ts';
import { presentTime } from './time.ts';

/** A reserved IPv4 as v2 clients read it. */
export function presentReservedIp({ address, region, droplet, locked, projectId }: ReservedIpRecord): ReservedIpBody {
  return {
    ip: address,
    region: presentRegion(region),
    droplet: droplet && presentDroplet(droplet),
    locked,
    project_id: projectId,
  };
}

/** A reserved IPv6 as v2 clients read it. */
export function presentReservedIpv6({ address, region, droplet, reservedAt }: ReservedIpRecord): ReservedIpv6Body {
  return {
    ip: address,
    region_slug: region.slug,
    reserved_at: presentTime(reservedAt),
    droplet: droplet && presentDroplet(droplet),
  };
}
