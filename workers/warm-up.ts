import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowStartOptions } from '@temporalio/client';
import type { Logger } from 'pino';
import { DEPLOYMENT_NAME, TASK_QUEUE, WARM_UP_ID_PREFIX } from '../domain/names.ts';
import { aborted } from '../platform/config/termination.ts';
import type { WorkerConfiguration } from './settings.ts';
import { mayStartEagerly } from './worker.ts';

type WarmUpWorkflow = () => Promise<void>;

/** By then the code that every operation runs through has run often enough to be compiled. */
const RUNS = 5;
/** Between two tries while Temporal cannot be reached, or does not know the build of this worker yet. */
const PAUSE_MS = 100;
/** A run that nobody takes ends by itself. */
const RUN_TIMEOUT_MS = 5_000;

/** Options of {@link WarmUp}. */
export interface WarmUpOptions {
  configuration: WorkerConfiguration;
  logger: Logger;
}

/**
 * Has a worker run some workflows that change nothing before it says that it is ready: a first workflow task, a first
 * connection to Kafka and to MySQL, and code that was never run cost a first operation more than a second. The runs are on
 * the queue of all workers, so it goes on until this one has had enough of them.
 */
export class WarmUp {
  readonly #options: WarmUpOptions;
  #runs = 0;

  constructor(options: WarmUpOptions) {
    this.#options = options;
  }

  /** To be called with each activity of a warm-up that this process runs. */
  readonly noteRun = (): void => {
    this.#runs += 1;
  };

  /**
   * Resolves when the worker is warm, or the time for it is over, or `signal` is aborted; never rejects. `temporal` must be
   * a client on the worker's own connection, and the worker must be running.
   */
  async run(temporal: Client, signal: AbortSignal): Promise<void> {
    const { configuration, logger } = this.#options;
    const { WARM_UP_TIMEOUT_MS: timeoutMs } = configuration;
    if (timeoutMs === 0) return;
    const begin = performance.now();
    const ending = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    let latest: unknown = null;
    while (this.#runs < RUNS && !ending.aborted) {
      try {
        await Promise.race([this.#runOnce(temporal), aborted(ending)]);
      } catch (error) {
        latest = error;
        await sleep(PAUSE_MS, null, { signal: ending }).catch(() => {});
      }
    }
    const milliseconds = Math.round(performance.now() - begin);
    if (this.#runs >= RUNS) logger.info({ milliseconds }, 'warm');
    else if (!signal.aborted) logger.warn({ milliseconds, runs: this.#runs, err: latest }, 'ready without being warm');
  }

  async #runOnce(temporal: Client): Promise<void> {
    const { configuration } = this.#options;
    const { WORKER_BUILD_ID: buildId } = configuration;
    const options: WorkflowStartOptions<WarmUpWorkflow> = {
      taskQueue: TASK_QUEUE,
      workflowId: `${WARM_UP_ID_PREFIX}${randomUUID()}`,
      workflowRunTimeout: RUN_TIMEOUT_MS,
      staticSummary: 'a worker warms up',
      requestEagerStart: mayStartEagerly(configuration),
      // A build that is not the current one is given nothing else.
      ...(buildId !== undefined && {
        versioningOverride: { pinnedTo: { deploymentName: DEPLOYMENT_NAME, buildId } },
      }),
    };
    await temporal.withDeadline(Date.now() + RUN_TIMEOUT_MS, () =>
      temporal.workflow.execute<WarmUpWorkflow>('warmUp', options),
    );
  }
}
