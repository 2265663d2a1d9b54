import { z } from '@hono/zod-openapi';
import { regionSchema } from './common.ts';
import { ipv4, ipv6 } from './fields.ts';

const networkV4Schema = z
  .object({
    ip_address: ipv4(),
    netmask: ipv4(),
    gateway: ipv4(),
    type: z.enum(['public', 'private']).openapi({
      description: 'private: the anchor address of the Droplet. public: the reserved IP that is assigned to it.',
    }),
  })
  .openapi('NetworkV4');

const networkV6Schema = z
  .object({
    ip_address: ipv6(),
    netmask: z.int(),
    gateway: ipv6(),
    type: z.literal('public').openapi({ description: 'The reserved IPv6 that is assigned to the Droplet.' }),
  })
  .openapi('NetworkV6');

const sizeSchema = z
  .object({
    slug: z.string(),
    memory: z.int(),
    vcpus: z.int(),
    disk: z.int(),
    transfer: z.number(),
    price_monthly: z.number(),
    price_hourly: z.number(),
    regions: z.array(z.string()),
    available: z.boolean(),
    description: z.string(),
  })
  .openapi('Size');

const imageSchema = z
  .object({
    id: z.int().openapi({ description: '0 when the Droplet was created from an image by its slug.' }),
    name: z.string(),
    type: z.string(),
    distribution: z.string(),
    slug: z.string().nullable(),
    public: z.boolean(),
    regions: z.array(z.string()),
    created_at: z.iso.datetime(),
    min_disk_size: z.int(),
    size_gigabytes: z.number(),
    description: z.string(),
    tags: z.array(z.string()),
    status: z.string(),
  })
  .openapi('Image');

export const dropletSchema = z
  .object({
    id: z.int(),
    name: z.string(),
    memory: z.int(),
    vcpus: z.int(),
    disk: z.int(),
    locked: z.boolean(),
    status: z.string().openapi({ example: 'active' }),
    created_at: z.iso.datetime(),
    features: z.array(z.string()),
    backup_ids: z.array(z.int()),
    next_backup_window: z.null(),
    snapshot_ids: z.array(z.int()),
    image: imageSchema,
    volume_ids: z.array(z.string()),
    size: sizeSchema,
    size_slug: z.string(),
    networks: z.object({ v4: z.array(networkV4Schema), v6: z.array(networkV6Schema) }),
    region: regionSchema,
    tags: z.array(z.string()),
    vpc_uuid: z.string(),
  })
  .openapi('Droplet');
export type DropletBody = z.infer<typeof dropletSchema>;
