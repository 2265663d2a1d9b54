import { z } from 'zod';
import { kafkaSchema, mysqlSchema } from './servers.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const latency = {
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  /** What the times in `legacy/parameters.ts` are multiplied by; 0 is no time at all. */
  LEGACY_LATENCY_SCALE: z.coerce.number().nonnegative().default(1),
};

/** Settings of the stand-in for a legacy monolith. */
export const legacySchema = z
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
export const legacyServicesSchema = z
  .object({
    ...latency,
    LEGACY_SERVICES_HOST: z.string().default('127.0.0.1'),
    LEGACY_SERVICES_PORT: port.default(8071),
  })
  .and(mysqlSchema);
