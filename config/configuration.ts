import { z } from 'zod';
import { visible } from '../text/visible.ts';
import { addressRangesSchema, anchorRangesSchema, assertRangesApart } from './address-ranges.ts';
import { apiLimitFields } from './api-limits.ts';
import { codecEndpointSchema } from './codec-endpoint.ts';
import { edgeSchema, flipSchema } from './edge.ts';
import { isKnownSecret } from './known-secrets.ts';
import { legacySchema, legacyServicesSchema } from './legacy.ts';
import { loadBalancerSchema } from './load-balancer.ts';
import {
  type KafkaSettings,
  kafkaSchema,
  type MysqlSettings,
  mysqlSchema,
  type TemporalSettings,
  temporalSchema,
} from './servers.ts';

/*
 * Every setting of every process, parsed once at start and passed in. An environment variable that nothing here names
 * has no effect.
 */

const seconds = z.coerce.number().nonnegative();
const percent = z.coerce.number().int().min(0).max(100);
const addresses = z.coerce.number().int().nonnegative();
const milliseconds = z.coerce.number().int().positive();
const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const logging = { LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info') };

const operations = {
  /** How long one attempt of a host to attach or detach may take. */
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: milliseconds.default(10_000),
  /** Attempts before an assign or unassign is undone. */
  HOST_ACKNOWLEDGMENT_ATTEMPTS: z.coerce.number().int().min(1).default(5),
  /** How long a reassign waits for the old host before it completes without it. */
  PREVIOUS_HOST_TIMEOUT_MS: milliseconds.default(3_000),
  /** How long an operation may retry before it marks itself stuck. */
  STUCK_AFTER_MS: milliseconds.default(30_000),
  /** The same for a billing event that did not get through beside its operation. */
  BILLING_STUCK_AFTER_MS: milliseconds.default(300_000),
  /** Rest of a released address before it is handed out again. */
  QUARANTINE_SECONDS: seconds.default(300),
  /** How much of a region's addresses one account may hold, with those in cooldown; 100 sets no bound. */
  POOL_SHARE_HELD_PERCENT: percent.default(50),
  /** How much of them it may release into cooldown within an hour; 100 sets no bound. */
  POOL_SHARE_PER_HOUR_PERCENT: percent.default(25),
  /** Addresses that a share has at least; half of the pool where that is fewer. */
  POOL_SHARE_MINIMUM: addresses.default(32),
  /** The shares bind while less than this is free. */
  POOL_SHARE_BINDS_BELOW_FREE_PERCENT: percent.default(50),
  /** Addresses in cooldown that each account may have in a region, whatever its limit; half of them where that is fewer. */
  COOLDOWN_ALLOWANCE: addresses.default(10),
  /** How long a billing event is tried beside the operation before it moves to a workflow of its own. */
  BILLING_BUDGET_MS: milliseconds.default(1_000),
};

const workerFields = {
  ...logging,
  ...operations,
  /** Prebuilt workflow bundle; built at start when absent. */
  WORKFLOW_BUNDLE: z.string().optional(),
  /** Where Prometheus finds the metrics of this process, as `host:port`; nowhere by default. */
  METRICS_ADDRESS: z.string().optional(),
  /** Workflow tasks of one worker process at a time. */
  WORKER_CONCURRENCY: z.coerce.number().int().min(2).default(100),
  /** Names the build, so that what begins on it ends on it; the worker is not versioned when absent. */
  WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,200}$/)
    .optional(),
};

const apiFields = {
  ...workerFields,
  API_HOST: z.string().default('127.0.0.1'),
  API_PORT: port.default(8080),
  /** Where `/internal` is served; on the public address, if there is no port. */
  INTERNAL_HOST: z.string().optional(),
  INTERNAL_PORT: port.optional(),
  /** The same for `/host`. */
  HOST_API_HOST: z.string().optional(),
  HOST_API_PORT: port.optional(),
  /** How long a stopping API still takes requests, so that a balancer sees it in time, in milliseconds. */
  API_DRAIN_MS: z.coerce.number().int().nonnegative().max(5_000).default(1_000),
  ADMIN_TOKEN: z.string().min(16),
  /** `production` refuses the secrets that everybody knows. */
  NODE_ENV: z.string().optional(),
  /** How often it is written when tokens were used last, in seconds. */
  API_TOKEN_USES_EVERY_SECONDS: z.coerce.number().positive().default(60),
  /** Runs a worker inside the API process, so that Temporal hands it the first task of each operation with the start. */
  EMBEDDED_WORKER: flag.default(false),
  ...apiLimitFields,
};

const hostFields = {
  ...logging,
  HOST_TOKEN: z.string().min(1),
  /** Ranges whose addresses the host may answer for; by default all that are not special. */
  HOST_ADDRESS_RANGES: addressRangesSchema.optional(),
  /** IPv4 ranges of the anchors on this host; by default all that are not special. */
  HOST_ANCHOR_RANGES: anchorRangesSchema.optional(),
};

/** Base URL of the API for one audience: `own` where that has an address of its own, otherwise API_URL. */
function apiUrlSchema(own: 'INTERNAL_URL' | 'HOST_API_URL') {
  return z
    .object({ API_URL: z.url().optional(), INTERNAL_URL: z.url().optional(), HOST_API_URL: z.url().optional() })
    .transform((fields, context) => {
      const apiUrl = fields[own] ?? fields.API_URL;
      if (apiUrl !== undefined) return { apiUrl };
      context.addIssue({ code: 'custom', path: ['API_URL'], message: `is needed, or ${own}` });
      return z.NEVER;
    });
}

const servers = mysqlSchema.and(temporalSchema).and(kafkaSchema);
const apiSchema = z
  .object(apiFields)
  .refine(({ INTERNAL_HOST, INTERNAL_PORT }) => INTERNAL_HOST === undefined || INTERNAL_PORT !== undefined, {
    path: ['INTERNAL_PORT'],
    message: 'is needed with INTERNAL_HOST',
  })
  .refine(({ HOST_API_HOST, HOST_API_PORT }) => HOST_API_HOST === undefined || HOST_API_PORT !== undefined, {
    path: ['HOST_API_PORT'],
    message: 'is needed with HOST_API_HOST',
  })
  .and(servers)
  .superRefine(refuseKnownSecrets);
const workerSchema = z.object(workerFields).and(servers);
const hostSchema = apiUrlSchema('HOST_API_URL').and(z.object(hostFields).superRefine(assertRangesApart));
/** How often the audit is run; 0 is never. */
const audit = { AUDIT_EVERY_SECONDS: seconds.default(60) };

const migrationSchema = z
  .object({ ...logging, ...audit })
  .and(mysqlSchema)
  .and(temporalSchema);
const billingSchema = z.object(logging).and(kafkaSchema);
const auditSchema = z.object(logging).and(servers);
/** An installation with a default secret is open to everybody, so it does not start. */
function refuseKnownSecrets(
  settings: { NODE_ENV?: string | undefined; ADMIN_TOKEN: string; mysql: MysqlSettings },
  context: z.core.$RefinementCtx,
): void {
  if (settings.NODE_ENV !== 'production') return;
  const refuse = (setting: string, what: string) => {
    const message = `${what} is one that everybody knows; NODE_ENV=production needs one of your own`;
    context.addIssue({ code: 'custom', path: [setting], message });
  };
  if (isKnownSecret(settings.ADMIN_TOKEN)) refuse('ADMIN_TOKEN', 'the token');
  const { password } = new URL(settings.mysql.url);
  if (password !== '' && isKnownSecret(decodeURIComponent(password))) refuse('MYSQL_URL', 'the password');
}

const adminSchema = apiUrlSchema('INTERNAL_URL').and(z.object({ ADMIN_TOKEN: z.string().min(1) }));

export type ApiConfiguration = z.infer<typeof apiSchema>;
export type WorkerConfiguration = z.infer<typeof workerSchema>;
export type HostConfiguration = z.infer<typeof hostSchema>;
export type MigrationConfiguration = z.infer<typeof migrationSchema>;
export type BillingConfiguration = z.infer<typeof billingSchema>;
export type AuditConfiguration = z.infer<typeof auditSchema>;
export type AdminConfiguration = z.infer<typeof adminSchema>;
export type CodecEndpointConfiguration = z.infer<typeof codecEndpointSchema>;
export type EdgeConfiguration = z.infer<typeof edgeSchema>;
export type FlipConfiguration = z.infer<typeof flipSchema>;
export type LegacyConfiguration = z.infer<typeof legacySchema>;
export type LegacyServicesConfiguration = z.infer<typeof legacyServicesSchema>;
export type LoadBalancerConfiguration = z.infer<typeof loadBalancerSchema>;

/** The environment is missing settings or has wrong ones; the message lists all of them. */
export class ConfigurationError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The configuration is not usable:\n${problems.map((problem) => `  ${visible(problem)}`).join('\n')}`);
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

type Environment = Record<string, string | undefined>;

function parse<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.infer<Schema> {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  throw new ConfigurationError(result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`));
}

/** Settings of the API process. Throws {@link ConfigurationError}. */
export function parseApiConfiguration(environment: Environment): ApiConfiguration {
  return parse(apiSchema, environment);
}

/** Settings of a worker process. Throws {@link ConfigurationError}. */
export function parseWorkerConfiguration(environment: Environment): WorkerConfiguration {
  return parse(workerSchema, environment);
}

/** Settings of a host agent. Throws {@link ConfigurationError}. */
export function parseHostConfiguration(environment: Environment): HostConfiguration {
  return parse(hostSchema, environment);
}

/** Settings of the migration. Throws {@link ConfigurationError}. */
export function parseMigrationConfiguration(environment: Environment): MigrationConfiguration {
  return parse(migrationSchema, environment);
}

/** Settings of the billing statement. Throws {@link ConfigurationError}. */
export function parseBillingConfiguration(environment: Environment): BillingConfiguration {
  return parse(billingSchema, environment);
}

/** Settings of the audit. Throws {@link ConfigurationError}. */
export function parseAuditConfiguration(environment: Environment): AuditConfiguration {
  return parse(auditSchema, environment);
}

/** Settings of the admin command line. Throws {@link ConfigurationError}. */
export function parseAdminConfiguration(environment: Environment): AdminConfiguration {
  return parse(adminSchema, environment);
}

/** Settings of the codec endpoint. Throws {@link ConfigurationError}. */
export function parseCodecEndpointConfiguration(environment: Environment): CodecEndpointConfiguration {
  return parse(codecEndpointSchema, environment);
}

/** Settings of the gateway. Throws {@link ConfigurationError}. */
export function parseEdgeConfiguration(environment: Environment): EdgeConfiguration {
  return parse(edgeSchema, environment);
}

/** Settings of the command that changes flags. Throws {@link ConfigurationError}. */
export function parseFlipConfiguration(environment: Environment): FlipConfiguration {
  return parse(flipSchema, environment);
}

/** Settings of the stand-in for a legacy monolith. Throws {@link ConfigurationError}. */
export function parseLegacyConfiguration(environment: Environment): LegacyConfiguration {
  return parse(legacySchema, environment);
}

/** Settings of the services that it asks. Throws {@link ConfigurationError}. */
export function parseLegacyServicesConfiguration(environment: Environment): LegacyServicesConfiguration {
  return parse(legacyServicesSchema, environment);
}

/** Settings of the example of a load-balancer controller. Throws {@link ConfigurationError}. */
export function parseLoadBalancerConfiguration(environment: Environment): LoadBalancerConfiguration {
  return parse(loadBalancerSchema, environment);
}

/** How to reach MySQL. Throws {@link ConfigurationError}. */
export function parseMysqlSettings(environment: Environment): MysqlSettings {
  return parse(mysqlSchema, environment).mysql;
}

/** How to reach Kafka. Throws {@link ConfigurationError}. */
export function parseKafkaSettings(environment: Environment): KafkaSettings {
  return parse(kafkaSchema, environment).kafka;
}

/** How to reach Temporal. Throws {@link ConfigurationError}. */
export function parseTemporalSettings(environment: Environment): TemporalSettings {
  return parse(temporalSchema, environment).temporal;
}
