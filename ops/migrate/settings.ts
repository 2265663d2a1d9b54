import { z } from 'zod';
import { loggingFields, seconds } from '../../platform/config/fields.ts';
import { mysqlSchema, temporalSchema } from '../../platform/config/servers.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';

const schema = z
  .object({
    ...loggingFields,
    /** How often the scheduled reconciler runs; 0 is never. The setting keeps its older name. */
    AUDIT_EVERY_SECONDS: seconds.default(60),
  })
  .and(mysqlSchema)
  .and(temporalSchema);

export type MigrationConfiguration = z.infer<typeof schema>;

/** Settings of the schema migration. Throws {@link ConfigurationError}. */
export function parseMigrationConfiguration(environment: Environment): MigrationConfiguration {
  return parseSettings(schema, environment);
}
