import { z } from '@hono/zod-openapi';

/** What every answer but success says. */
export const errorSchema = z
  .object({
    id: z.string().openapi({ example: 'not_found' }),
    message: z.string().openapi({ example: 'The resource you requested could not be found.' }),
    request_id: z.string().openapi({ example: '4d9d8375-3c56-4925-a3e7-eb137fed17e9' }),
  })
  .openapi('Error');

export const regionSchema = z
  .object({
    name: z.string().openapi({ example: 'New York 3' }),
    slug: z.string().openapi({ example: 'nyc3' }),
    features: z.array(z.string()),
    available: z.boolean(),
    sizes: z.array(z.string()),
  })
  .openapi('Region');
export type RegionBody = z.infer<typeof regionSchema>;

export const actionSchema = z
  .object({
    id: z.int().openapi({ example: 3000000001 }),
    status: z.enum(['in-progress', 'completed', 'errored']),
    type: z.string().openapi({ example: 'assign_ip' }),
    started_at: z.iso.datetime(),
    completed_at: z.iso.datetime().nullable(),
    resource_id: z.int().nullable().openapi({
      description:
        'Number of the Droplet, the IPv4 address as an unsigned 32-bit integer, or a number that stands for the IPv6 address.',
      example: 758603823,
    }),
    resource_type: z.string().openapi({ example: 'reserved_ip' }),
    region: regionSchema,
    region_slug: z.string(),
  })
  .openapi('Action');
export type ActionBody = z.infer<typeof actionSchema>;

/** Where to follow what a request has set off. */
export const actionLinkSchema = z
  .object({ id: z.int(), rel: z.string().openapi({ example: 'create' }), href: z.url() })
  .openapi('ActionLink');
export type ActionLinkBody = z.infer<typeof actionLinkSchema>;

export const pageLinksSchema = z
  .object({
    pages: z
      .object({
        first: z.url().optional(),
        prev: z.url().optional(),
        next: z.url().optional(),
        last: z.url().optional(),
      })
      .optional(),
  })
  .openapi('PageLinks');
export type PageLinksBody = z.infer<typeof pageLinksSchema>;

export const metaSchema = z
  .object({ total: z.int().openapi({ description: 'Number of entries in the whole list.' }) })
  .openapi('Meta');

export const actionAnswer = z.object({ action: actionSchema });
export const actionListAnswer = z.object({
  actions: z.array(actionSchema),
  links: pageLinksSchema,
  meta: metaSchema,
});
