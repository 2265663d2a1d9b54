import { z } from 'zod';
import { addressRangesSchema, anchorRangesSchema, assertRangesApart } from '../platform/config/address-ranges.ts';
import { apiUrlSchema, loggingFields } from '../platform/config/fields.ts';
import { type Environment, parseSettings } from '../platform/config/settings.ts';

const hostFields = {
  ...loggingFields,
  HOST_TOKEN: z.string().min(1),
  /** Ranges whose addresses the host may announce; by default all that are not special. */
  HOST_ADDRESS_RANGES: addressRangesSchema.optional(),
  /** IPv4 ranges of the anchors on this host; by default all that are not special. */
  HOST_ANCHOR_RANGES: anchorRangesSchema.optional(),
};

const hostSchema = apiUrlSchema('HOST_API_URL').and(z.object(hostFields).superRefine(assertRangesApart));

export type HostConfiguration = z.infer<typeof hostSchema>;

/** Settings of a host agent. Throws {@link ConfigurationError}. */
export function parseHostConfiguration(environment: Environment): HostConfiguration {
  return parseSettings(hostSchema, environment);
}
