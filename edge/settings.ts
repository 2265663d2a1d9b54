import { z } from 'zod';
import { mysqlSchema } from '../platform/config/servers.ts';
import { type Environment, parseSettings } from '../platform/config/settings.ts';
import { mayBePassedOn } from '../platform/http/passed-on.ts';

/** A list with commas. */
const names = z.string().transform((text) =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== ''),
);
const milliseconds = z.coerce.number().int().positive();

/** Settings of the gateway. */
const edgeSchema = z
  .object({
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
    EDGE_HOST: z.string().default('127.0.0.1'),
    EDGE_PORT: z.coerce.number().int().min(0).max(65_535).default(8090),
    /** Where metrics and the differences of shadowed reads are to be had, as `host:port`; nowhere by default. */
    METRICS_ADDRESS: z
      .string()
      .regex(/^.+:\d{1,5}$/, 'is not host:port')
      .optional(),
    /** Base URL of the legacy upstream. */
    LEGACY_URL: z.url({ protocol: /^https?$/ }),
    /** Base URL of the new API. */
    API_URL: z.url({ protocol: /^https?$/ }),
    /** The flag file. */
    EDGE_FLAGS_FILE: z.string().optional(),
    /** A module whose default export makes an OpenFeature provider, in the place of the flag file. */
    EDGE_FLAGS_PROVIDER: z.string().optional(),
    /** Where what has no flag and no rule goes. */
    EDGE_DEFAULT_UPSTREAM: z.enum(['legacy', 'new']).default('legacy'),
    /** Whether a proxy in front says truly by X-Forwarded-* where requests come from. */
    EDGE_TRUST_FORWARDED: z
      .enum(['true', 'false'])
      .default('false')
      .transform((text) => text === 'true'),
    /** Fields of requests that the legacy upstream needs beside those that are always passed on, separated by commas. */
    EDGE_REQUEST_HEADERS: names
      .transform((all) => all.map((name) => name.toLowerCase()))
      .refine((all) => all.every(mayBePassedOn), 'has a name that is none, or that clients must not say')
      .prefault(''),
    /** Wrong tokens of one address a minute that are looked for. */
    EDGE_WRONG_TOKENS_PER_MINUTE: z.coerce.number().int().positive().default(100),
    /** Open connections of the process. It needs as many open files again, for those to the upstreams. */
    EDGE_CONNECTIONS: z.coerce.number().int().positive().default(8_000),
    /** Open connections of one address; not counted while a proxy in front is trusted, behind which all are. */
    EDGE_ADDRESS_CONNECTIONS: z.coerce.number().int().positive().default(1_000),
    EDGE_CONNECT_TIMEOUT_MS: milliseconds.default(2_000),
    /** Until an answer begins: more than the 20 s after which the API answers in any case. */
    EDGE_ANSWER_TIMEOUT_MS: milliseconds.default(25_000),
    EDGE_BODY_TIMEOUT_MS: milliseconds.default(30_000),
    /** How long a stopping gateway still takes requests, so that a balancer sees it in time, in milliseconds. */
    EDGE_DRAIN_MS: z.coerce.number().int().nonnegative().max(4_000).default(1_000),
    /** Reads that are compared, in percent. */
    EDGE_SHADOW_PERCENT: z.coerce.number().min(0).max(100).default(0),
    /** Fields whose differences do not count, separated by commas. */
    EDGE_SHADOW_IGNORE: names.prefault('request_id'),
  })
  .refine(
    ({ EDGE_FLAGS_FILE, EDGE_FLAGS_PROVIDER }) => EDGE_FLAGS_FILE !== undefined || EDGE_FLAGS_PROVIDER !== undefined,
    {
      path: ['EDGE_FLAGS_FILE'],
      message: 'is needed, or EDGE_FLAGS_PROVIDER',
    },
  )
  .and(mysqlSchema);

/** Settings of the command that changes flags. */
const flipSchema = z.object({ EDGE_FLAGS_FILE: z.string() });

export type EdgeConfiguration = z.infer<typeof edgeSchema>;

/** Settings of the gateway. Throws {@link ConfigurationError}. */
export function parseEdgeConfiguration(environment: Environment): EdgeConfiguration {
  return parseSettings(edgeSchema, environment);
}

export type FlipConfiguration = z.infer<typeof flipSchema>;

/** Settings of the command that changes flags. Throws {@link ConfigurationError}. */
export function parseFlipConfiguration(environment: Environment): FlipConfiguration {
  return parseSettings(flipSchema, environment);
}
