import { z } from 'zod';
import { loggingFields } from '../../platform/config/fields.ts';
import { serversSchema } from '../../platform/config/servers.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';

const schema = z.object(loggingFields).and(serversSchema);

export type ConsistencyCheckConfiguration = z.infer<typeof schema>;

/** Settings of the audit. Throws {@link ConfigurationError}. */
export function parseConsistencyCheckConfiguration(environment: Environment): ConsistencyCheckConfiguration {
  return parseSettings(schema, environment);
}
