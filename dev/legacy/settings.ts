import { z } from 'zod';
import { kafkaSchema, mysqlSchema } from '../../platform/config/servers.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const latency = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** What the times in `dev/legacy/parameters.ts` are multiplied by; 0 is no time at all. */
  LEGACY_LATENCY_SCALE: z.coerce.number().nonnegative().default(1),
};

/** Settings of the stand-in for a legacy monolith. */
const legacySchema = z
  .object({
    ...latency,
    LEGACY_HOST: z.string().default('127.0.0.1'),
    LEGACY_PORT: port.default(8070),
    /** Base URL of the services that it asks. */
    LEGACY_SERVICES_URL: z.url(),
  })
  .and(mysqlSchema)
  .and(kafkaSchema);

/** Settings of the services that the stand-in asks. */
const legacyServicesSchema = z
  .object({
    ...latency,
    LEGACY_SERVICES_HOST: z.string().default('127.0.0.1'),
    LEGACY_SERVICES_PORT: port.default(8071),
  })
  .and(mysqlSchema);

export type LegacyConfiguration = z.infer<typeof legacySchema>;

/** Settings of the stand-in for a legacy monolith. Throws {@link ConfigurationError}. */
export function parseLegacyConfiguration(environment: Environment): LegacyConfiguration {
  return parseSettings(legacySchema, environment);
}

export type LegacyServicesConfiguration = z.infer<typeof legacyServicesSchema>;

/** Settings of the services that it asks. Throws {@link ConfigurationError}. */
export function parseLegacyServicesConfiguration(environment: Environment): LegacyServicesConfiguration {
  return parseSettings(legacyServicesSchema, environment);
}
