import { z } from 'zod';
import { loggingFields } from '../../platform/config/fields.ts';
import { kafkaSchema } from '../../platform/config/servers.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';

const schema = z.object(loggingFields).and(kafkaSchema);

export type BillingConfiguration = z.infer<typeof schema>;

/** Settings of the billing statement. Throws {@link ConfigurationError}. */
export function parseBillingConfiguration(environment: Environment): BillingConfiguration {
  return parseSettings(schema, environment);
}
