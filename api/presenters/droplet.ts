import ipaddr from 'ipaddr.js';
import type { DropletRecord } from '../../db/droplets.ts';
import { gatewayOf } from '../../domain/anchor.ts';
import { findDropletSize } from '../droplet-sizes.ts';
import type { DropletBody } from '../schemas/droplet.ts';
import { presentRegion } from './region.ts';
import { presentTime } from './time.ts';

/** A droplet as v2 clients read it; the anchor address is its private one, the reserved IPs its public ones. */
export function presentDroplet(droplet: DropletRecord): DropletBody {
  return {
    id: droplet.id,
    name: droplet.name,
    memory: droplet.memory,
    vcpus: droplet.vcpus,
    disk: droplet.disk,
    locked: false,
    status: 'active',
    created_at: presentTime(droplet.createdAt),
    features: ['private_networking'],
    backup_ids: [],
    next_backup_window: null,
    snapshot_ids: [],
    image: presentImage(droplet),
    volume_ids: [],
    size: presentSize(droplet),
    size_slug: droplet.size,
    networks: { v4: presentNetworks(droplet), v6: presentIpv6Networks(droplet) },
    region: presentRegion(droplet.region),
    tags: droplet.tags,
    vpc_uuid: '',
  };
}

function presentNetworks({ anchor, anchorCidr, reservedIp }: DropletRecord): DropletBody['networks']['v4'] {
  const gateway = gatewayOf(4, anchorCidr);
  const netmask = ipaddr.IPv4.subnetMaskFromPrefixLength(ipaddr.IPv4.parseCIDR(anchorCidr)[1]).toString();
  const networks: DropletBody['networks']['v4'] = [{ ip_address: anchor, netmask, gateway, type: 'private' }];
  if (reservedIp !== null) {
    networks.unshift({ ip_address: reservedIp, netmask: '255.255.255.255', gateway, type: 'public' });
  }
  return networks;
}

function presentIpv6Networks({ anchorCidr, reservedIpv6 }: DropletRecord): DropletBody['networks']['v6'] {
  if (reservedIpv6 === null) return [];
  const gateway = gatewayOf(6, anchorCidr);
  return [{ ip_address: reservedIpv6, netmask: 128, gateway, type: 'public' }];
}

function presentSize({ size, memory, vcpus, disk, region }: DropletRecord): DropletBody['size'] {
  const offered = findDropletSize(size);
  return {
    slug: size,
    memory,
    vcpus,
    disk,
    transfer: offered?.transfer ?? 0,
    price_monthly: offered?.monthlyPrice ?? 0,
    price_hourly: offered?.hourlyPrice ?? 0,
    regions: [region.slug],
    available: offered !== null,
    description: offered?.description ?? 'Basic',
  };
}

const DISTRIBUTIONS = ['Ubuntu', 'Debian', 'Fedora', 'CentOS', 'Rocky Linux', 'FreeBSD'];

function presentImage({ image, createdAt, region }: DropletRecord): DropletBody['image'] {
  const byNumber = /^\d+$/.test(image) && Number.isSafeInteger(Number(image));
  const distribution = DISTRIBUTIONS.find((name) => image.startsWith(name.toLowerCase().replaceAll(/[^a-z]/g, '')));
  return {
    id: byNumber ? Number(image) : 0,
    name: image,
    type: 'base',
    distribution: distribution ?? 'Unknown',
    slug: byNumber ? null : image,
    public: !byNumber,
    regions: [region.slug],
    created_at: presentTime(createdAt),
    min_disk_size: 0,
    size_gigabytes: 0,
    description: '',
    tags: [],
    status: 'available',
  };
}
