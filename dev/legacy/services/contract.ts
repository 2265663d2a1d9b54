import { z } from 'zod';

/*
 * What the inner services of the legacy upstream answer; 404 when there is no such thing.
 */

export const sessionAnswer = z.object({ account_id: z.int(), scopes: z.array(z.string()) });
export type SessionAnswer = z.infer<typeof sessionAnswer>;

export const accountAnswer = z.object({ uuid: z.string(), reserved_ip_limit: z.int() });
export type AccountAnswer = z.infer<typeof accountAnswer>;

export const dropletAnswer = z.object({
  droplet: z.looseObject({ id: z.int(), region: z.looseObject({ slug: z.string() }) }),
});
export type DropletAnswer = z.infer<typeof dropletAnswer>;

export const placementAnswer = z.object({ host_id: z.int(), state: z.enum(['active', 'gone']), anchor: z.string() });
export type PlacementAnswer = z.infer<typeof placementAnswer>;
