import { type NativeConnection, Worker, type WorkerDeploymentOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { HostNotifier } from '../activities/host-acknowledgment.ts';
import type { HostAnswers } from '../activities/host-answers.ts';
import { createActivities } from '../activities/index.ts';
import { createReconcilerActivities } from '../activities/scheduled-reconciler.ts';
import { readBillingEvents } from '../billing/consume.ts';
import type { BillingPublisher } from '../billing/publisher.ts';
import type { Database } from '../db/database.ts';
import type { OperationRules } from '../db/operations/admit.ts';
import { DEPLOYMENT_NAME, TASK_QUEUE } from '../domain/names.ts';
import type { OperationTimeouts } from '../domain/timeouts.ts';
import { createDataConverter } from '../platform/temporal/data-converter.ts';
import type { WorkerConfiguration } from './settings.ts';
import { bundleWorkflows } from './workflow-bundle.ts';

/** Options of {@link createWorker}. */
export interface OperationWorkerOptions {
  configuration: WorkerConfiguration;
  logger: Logger;
  connection: NativeConnection;
  db: Database;
  billing: BillingPublisher;
  notifyHosts: HostNotifier;
  /** Where operations wait for hosts; an API in the same process passes on what it records. */
  hostAnswers: HostAnswers;
  /** Called whenever this worker has run the activity of a warm-up. */
  onWarmUp?: () => void;
}

/** Time a stopping worker gives running activities, in milliseconds. */
const SHUTDOWN_GRACE_MS = 10_000;

/**
 * Open polls for workflow tasks. A poll brings one task, so while a call to Temporal takes two seconds, these bring half as
 * many a second.
 */
const WORKFLOW_TASK_POLLS = 20;
/** Of these, for the queue of first tasks, which all workers share: an operation whose hosts are quick has no other. */
const SHARE_OF_FIRST_TASKS = 0.8;

/**
 * A worker that dies leaves a queue of its own, in which the next tasks of its workflows would wait for it as long as this;
 * Temporal's default is 10 s. One that is merely late costs another worker a replay of a short history.
 */
const STICKY_QUEUE_MS = 2_000;

/** Makes the worker of the control plane; it runs until `shutdown()`. */
export async function createWorker(options: OperationWorkerOptions): Promise<Worker> {
  const { configuration, logger, connection, db, billing, notifyHosts, hostAnswers, onWarmUp = () => {} } = options;
  const { WORKFLOW_BUNDLE: codePath, WORKER_CONCURRENCY: concurrency, WORKER_BUILD_ID: buildId } = configuration;
  const activities = createActivities({
    db,
    billing,
    notifyHosts,
    hostAnswers,
    rules: operationRules(configuration),
    timeouts: operationTimeouts(configuration),
    billingTimeoutMs: configuration.BILLING_BUDGET_MS,
    onWarmUp,
  });
  const readBilling = (since: Date) => readBillingEvents({ ...configuration.kafka, logger, since });
  return Worker.create({
    connection,
    namespace: configuration.temporal.namespace,
    dataConverter: createDataConverter(configuration.temporal.codec),
    taskQueue: TASK_QUEUE,
    workflowBundle: codePath ? { codePath } : { code: await bundleWorkflows() },
    activities: { ...activities, ...createReconcilerActivities({ db, readBilling }) },
    maxConcurrentWorkflowTaskExecutions: concurrency,
    maxConcurrentWorkflowTaskPolls: Math.min(WORKFLOW_TASK_POLLS, concurrency),
    nonStickyToStickyPollRatio: SHARE_OF_FIRST_TASKS,
    maxConcurrentActivityTaskExecutions: concurrency,
    maxConcurrentLocalActivityExecutions: concurrency,
    shutdownGraceTime: SHUTDOWN_GRACE_MS,
    stickyQueueScheduleToStartTimeout: STICKY_QUEUE_MS,
    ...(buildId !== undefined && { workerDeploymentOptions: deploymentOptions(buildId) }),
  });
}

/**
 * Whether a process that runs a worker may be given the first task of what it starts. With builds it may not: Temporal
 * hands such a task out without a look at the build, which may not be the current one.
 */
export function mayStartEagerly({ WORKER_BUILD_ID }: WorkerConfiguration): boolean {
  return WORKER_BUILD_ID === undefined;
}

/** Workflows go on with the current build, unless they say that they end on the one that began them. */
function deploymentOptions(buildId: string): WorkerDeploymentOptions {
  return {
    version: { deploymentName: DEPLOYMENT_NAME, buildId },
    useWorkerVersioning: true,
    defaultVersioningBehavior: 'AUTO_UPGRADE',
  };
}

/** The rules of operations, as configured. */
export function operationRules(configuration: WorkerConfiguration): OperationRules {
  return {
    quarantineSeconds: configuration.QUARANTINE_SECONDS,
    poolShare: {
      heldPercent: configuration.POOL_SHARE_HELD_PERCENT,
      perHourPercent: configuration.POOL_SHARE_PER_HOUR_PERCENT,
      minimum: configuration.POOL_SHARE_MINIMUM,
      bindsBelowFreePercent: configuration.POOL_SHARE_BINDS_BELOW_FREE_PERCENT,
      quarantineAllowance: configuration.COOLDOWN_ALLOWANCE,
    },
  };
}

/** How long operations try what, as configured. */
export function operationTimeouts(configuration: WorkerConfiguration): OperationTimeouts {
  return {
    timeoutMs: configuration.HOST_ACKNOWLEDGMENT_TIMEOUT_MS,
    attempts: configuration.HOST_ACKNOWLEDGMENT_ATTEMPTS,
    previousHostTimeoutMs: configuration.PREVIOUS_HOST_TIMEOUT_MS,
    stuckAfterMs: configuration.STUCK_AFTER_MS,
    billingStuckAfterMs: configuration.BILLING_STUCK_AFTER_MS,
  };
}
