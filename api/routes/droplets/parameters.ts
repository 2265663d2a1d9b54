import { z } from '@hono/zod-openapi';
import { numberInPath } from '../../schemas/fields.ts';

/** The droplet in the path. */
export const dropletParameter = z.object({ droplet_id: numberInPath });
