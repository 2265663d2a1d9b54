import { z } from 'zod';
import { loggingFields, milliseconds, seconds } from '../platform/config/fields.ts';
import { serversSchema } from '../platform/config/servers.ts';
import { type Environment, parseSettings } from '../platform/config/settings.ts';

const percent = z.coerce.number().int().min(0).max(100);
const addresses = z.coerce.number().int().nonnegative();

const operationFields = {
  /** How long one attempt of a host to attach or detach may take. */
  HOST_ACKNOWLEDGMENT_TIMEOUT_MS: milliseconds.default(10_000),
  /** Attempts before an assign or unassign is undone. */
  HOST_ACKNOWLEDGMENT_ATTEMPTS: z.coerce.number().int().min(1).default(5),
  /** How long a reassign waits for the old host before it completes without it. */
  PREVIOUS_HOST_TIMEOUT_MS: milliseconds.default(3_000),
  /** How long an operation may retry before it marks itself stuck. */
  STUCK_AFTER_MS: milliseconds.default(30_000),
  /** The same for a billing event that was not published beside its operation. */
  BILLING_STUCK_AFTER_MS: milliseconds.default(300_000),
  /** Quarantine of a released address before it is available again. */
  QUARANTINE_SECONDS: seconds.default(300),
  /** How much of a region's addresses one account may hold, with those in quarantine; 100 sets no bound. */
  POOL_SHARE_HELD_PERCENT: percent.default(50),
  /** How much of them it may release into quarantine within an hour; 100 sets no bound. */
  POOL_SHARE_PER_HOUR_PERCENT: percent.default(25),
  /** Addresses that a share has at least; half of the pool where that is fewer. */
  POOL_SHARE_MINIMUM: addresses.default(32),
  /** The shares bind while less than this is free. */
  POOL_SHARE_BINDS_BELOW_FREE_PERCENT: percent.default(50),
  /** Addresses in quarantine that each account may have in a region, whatever its limit; half of them where that is fewer. */
  COOLDOWN_ALLOWANCE: addresses.default(10),
  /** How long a billing event is tried beside the operation before it moves to a workflow of its own. */
  BILLING_BUDGET_MS: milliseconds.default(1_000),
};

/** Settings of a process that carries operations out. */
export const workerFields = {
  ...loggingFields,
  ...operationFields,
  /** Prebuilt workflow bundle; built at start when absent. */
  WORKFLOW_BUNDLE: z.string().optional(),
  /** Where Prometheus finds the metrics of this process, as `address:port`; nowhere by default. */
  METRICS_ADDRESS: z
    .string()
    .regex(/^([\d.]+|\[[\da-f:.]+\]):\d{1,5}$/i, 'is not address:port, such as 127.0.0.1:9464')
    .optional(),
  /** Workflow tasks of one worker process at a time. */
  WORKER_CONCURRENCY: z.coerce.number().int().min(2).default(100),
  /** How long a starting process may prepare itself before it says that it is ready all the same; 0 is not at all. */
  WARM_UP_TIMEOUT_MS: z.coerce.number().int().nonnegative().max(60_000).default(10_000),
  /** Names the build, so that what begins on it ends on it; the worker is not versioned when absent. */
  WORKER_BUILD_ID: z
    .string()
    .regex(/^[\w.-]{1,200}$/)
    .optional(),
};

const workerSchema = z.object(workerFields).and(serversSchema);

export type WorkerConfiguration = z.infer<typeof workerSchema>;

/** Settings of a worker process. Throws {@link ConfigurationError}. */
export function parseWorkerConfiguration(environment: Environment): WorkerConfiguration {
  return parseSettings(workerSchema, environment);
}
