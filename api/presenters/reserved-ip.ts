import type { ReservedIpRecord } from '../../db/reserved-ips.ts';
import type { ReservedIpBody } from '../schemas/reserved-ip.ts';
import { presentDroplet } from './droplet.ts';
import { presentRegion } from './region.ts';

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
