import { z } from 'zod';
import { apiUrlSchema } from '../../platform/config/fields.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';

const schema = apiUrlSchema('INTERNAL_URL').and(z.object({ ADMIN_TOKEN: z.string().min(1) }));

export type AdminConfiguration = z.infer<typeof schema>;

/** Settings of the admin command line. Throws {@link ConfigurationError}. */
export function parseAdminConfiguration(environment: Environment): AdminConfiguration {
  return parseSettings(schema, environment);
}
