import { z } from '@hono/zod-openapi';
import { regionSchema } from './common.ts';
import { dropletSchema } from './droplet.ts';
import { ipv4, ipv6, positiveInteger, regionSlug } from './fields.ts';

/** Not `nullable()`, which the OpenAPI document would say of every Droplet. */
const dropletOrNull = z.union([dropletSchema, z.null()]);

export const reservedIpSchema = z
  .object({
    ip: ipv4(),
    region: regionSchema,
    droplet: dropletOrNull,
    locked: z.boolean().openapi({ description: 'An action is pending on the address.' }),
    project_id: z.string(),
  })
  .openapi('ReservedIp');
export type ReservedIpBody = z.infer<typeof reservedIpSchema>;

export const reservedIpv6Schema = z
  .object({
    ip: ipv6(),
    region_slug: z.string().openapi({ example: 'nyc3' }),
    reserved_at: z.iso.datetime(),
    droplet: dropletOrNull,
  })
  .openapi('ReservedIpv6');
export type ReservedIpv6Body = z.infer<typeof reservedIpv6Schema>;

/** A request for an IPv6 address in a region. */
export const createReservedIpv6Request = z
  .object({ region_slug: regionSlug() }, 'must be an object')
  .openapi('ReservedIpv6Create');

/** A request for an address: for a droplet, or in a region. */
export const createReservedIpRequest = z
  .object(
    {
      droplet_id: positiveInteger().nullish(),
      region: regionSlug().nullish(),
      project_id: z.guid('must be a UUID').nullish(),
    },
    'must be an object',
  )
  .transform(({ droplet_id, region, project_id }, context) => {
    const projectId = project_id ?? null;
    if (droplet_id) return { target: { region: region ?? null, dropletId: droplet_id }, projectId };
    if (region) return { target: { region, dropletId: null }, projectId };
    context.addIssue({ code: 'custom', message: 'Either droplet_id or region is required.' });
    return z.NEVER;
  })
  .openapi('ReservedIpCreate', {
    anyOf: [
      { required: ['droplet_id'], properties: { droplet_id: { type: 'integer' } } },
      { required: ['region'], properties: { region: { type: 'string' } } },
    ],
  });

const ACTION_REQUESTS = [
  z.object({ type: z.literal('assign'), droplet_id: positiveInteger() }),
  z.object({ type: z.literal('unassign') }),
] as const;
const ACTION_TYPES = ACTION_REQUESTS.map(({ shape }) => shape.type.value);

/** A request for an action on an address. */
export const reservedIpActionRequest = z
  .discriminatedUnion('type', ACTION_REQUESTS, {
    error: ({ path }) => (path?.length ? `must be one of: ${ACTION_TYPES.join(', ')}` : 'must be an object'),
  })
  .openapi('ReservedIpAction');
export type ReservedIpActionRequest = z.infer<typeof reservedIpActionRequest>;
