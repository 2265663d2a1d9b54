import { z } from 'zod';
import { parseAddress } from '../../domain/address.ts';
import { temporalSchema } from '../../platform/config/servers.ts';
import { type Environment, parseSettings } from '../../platform/config/settings.ts';

const milliseconds = z.coerce.number().int().positive();

/** A load balancer that may hold the address. */
export interface BalancerNode {
  dropletId: number;
  /** Answers 2xx while the node is well. */
  healthUrl: string;
}

const nodeSchema = z
  .string()
  .regex(/^\d+=/, 'is not <droplet>=<URL of its health>')
  .transform((text) => {
    const [dropletId = '', ...url] = text.split('=');
    return { dropletId: Number(dropletId), healthUrl: url.join('=') };
  })
  .pipe(z.object({ dropletId: z.int().positive(), healthUrl: z.url({ protocol: /^https?$/ }) }));

/** Settings of the example of a load-balancer controller. */
const loadBalancerSchema = z
  .object({
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    /** Number of the account that the droplets and the address belong to. */
    ACCOUNT_ID: z.coerce.number().int().positive(),
    /** Where the address is reserved. */
    REGION: z.string().min(1),
    /** `<droplet>=<URL of its health>`, separated by commas; the first that is well is the active one to begin with. */
    NODES: z
      .string()
      .transform((text) => text.split(',').map((node) => node.trim()))
      .pipe(z.array(nodeSchema).min(1)),
    /** An address that the account holds already; one is reserved by default. */
    RESERVED_IP: z
      .string()
      .refine((text) => parseAddress(text) !== null, 'is not an address')
      .optional(),
    /** What the controller remembers over its own end. */
    STATE_FILE: z.string().min(1),
    CHECK_EVERY_MS: milliseconds.default(1_000),
    CHECK_TIMEOUT_MS: milliseconds.default(500),
    /** Checks in a row that the active node must fail before the address is moved. */
    FAILURES_NEEDED: z.coerce.number().int().positive().default(3),
  })
  .and(temporalSchema);

export type LoadBalancerConfiguration = z.infer<typeof loadBalancerSchema>;

/** Settings of the example of a load-balancer controller. Throws {@link ConfigurationError}. */
export function parseLoadBalancerConfiguration(environment: Environment): LoadBalancerConfiguration {
  return parseSettings(loadBalancerSchema, environment);
}
