import { z } from '@hono/zod-openapi';

export const accountSchema = z
  .object({
    droplet_limit: z.int(),
    floating_ip_limit: z.int(),
    reserved_ip_limit: z.int(),
    email: z.string(),
    name: z.string(),
    uuid: z.string(),
    email_verified: z.boolean(),
    status: z.enum(['active', 'warning', 'locked']),
    status_message: z.string(),
    team: z.object({ uuid: z.string(), name: z.string() }),
  })
  .openapi('Account');
export type AccountBody = z.infer<typeof accountSchema>;
