import { z } from '@hono/zod-openapi';
import { DROPLET_SIZE_SLUGS, findDropletSize } from '../droplet-sizes.ts';
import { pageQuery, regionSlug, text } from './fields.ts';

const NAME = /^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/;

const dropletName = text().regex(
  NAME,
  'may have letters, digits, dots and hyphens, and begins and ends with a letter or digit',
);

/** A request for a droplet. What is only about how droplets are set up is accepted and left alone. */
export const createDropletRequest = z
  .object(
    {
      name: dropletName,
      region: regionSlug(),
      size: text(64)
        .transform((slug, context) => {
          const size = findDropletSize(slug);
          if (size) return size;
          context.addIssue({ code: 'custom', message: 'is not a size on offer' });
          return z.NEVER;
        })
        .openapi({ enum: [...DROPLET_SIZE_SLUGS] }),
      image: z
        .union([text(), z.int().positive('must be a slug or a number')], {
          error: (issue) => (issue.input === undefined ? 'is required' : 'must be a slug or a number'),
        })
        .transform(String),
      tags: z.array(text(), 'must be a list').max(100, 'may be 100 at most').nullish(),
    },
    'must be an object',
  )
  .openapi('DropletCreate');

/** A request to do something with a droplet; this API renames and rejects the rest. */
export const dropletActionRequest = z
  .object(
    {
      type: z.literal('rename', {
        error: (issue) =>
          issue.input === undefined ? 'is required' : 'must be rename: no other action is offered here',
      }),
      name: dropletName,
    },
    'must be an object',
  )
  .openapi('DropletAction');

/** The query of the list of droplets. */
export const dropletQuery = pageQuery.extend({
  name: z.string('must be given once').optional(),
  tag_name: z.string('must be given once').optional(),
});
