import type { RegionRecord } from '../../db/regions.ts';
import { DROPLET_SIZE_SLUGS } from '../droplet-sizes.ts';
import type { RegionBody } from '../schemas/common.ts';

const FEATURES = ['private_networking', 'metadata'];

/** A region as v2 clients read it. */
export function presentRegion({ name, slug }: RegionRecord): RegionBody {
  return { name, slug, features: [...FEATURES], available: true, sizes: [...DROPLET_SIZE_SLUGS] };
}
