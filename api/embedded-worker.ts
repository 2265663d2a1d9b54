import type { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { HostAnswers } from '../activities/host-answers.ts';
import { createBillingPublisher } from '../billing/publisher.ts';
import type { Database } from '../db/database.ts';
import { createTemporalClient } from '../platform/temporal/connection.ts';
import { connectToTemporal, createWhenReachable } from '../workers/connect.ts';
import { WarmUp } from '../workers/warm-up.ts';
import { createWorker } from '../workers/worker.ts';
import type { WaitingHosts } from './host-commands/waiting-hosts.ts';
import type { ApiConfiguration } from './settings.ts';

/** Options of {@link startEmbeddedWorker}. */
export interface EmbeddedWorkerOptions {
  configuration: ApiConfiguration;
  logger: Logger;
  /** Aborted when it is to take no more tasks; what it has begun it finishes. */
  stopping: AbortSignal;
  db: Database;
  waitingHosts: WaitingHosts;
  hostAnswers: HostAnswers;
  /** Called once the worker polls, with a client on its connection: what that starts can be run here at once. */
  onRunning(temporal: Client): void;
}

/** A worker inside the API process. */
export interface EmbeddedWorker {
  /** Resolves when it is warm, or cannot be; never rejects. */
  readonly warm: Promise<void>;
  /** Waits until it has finished, and closes its connections, which its clients may use until then. */
  stop(): Promise<void>;
}

/** Starts a worker beside the API as soon as Temporal can be reached; the API does not wait for it. */
export function startEmbeddedWorker(options: EmbeddedWorkerOptions): EmbeddedWorker {
  const { configuration, logger, stopping, db, waitingHosts, hostAnswers, onRunning } = options;
  const closing = new AbortController();
  const ending = AbortSignal.any([stopping, closing.signal]);
  const warm = Promise.withResolvers<void>();
  let connection: NativeConnection | null = null;

  async function run(): Promise<void> {
    connection = await connectToTemporal(configuration.temporal, logger, ending);
    if (!connection) return;
    const billing = createBillingPublisher({ ...configuration.kafka, logger });
    const warmUp = new WarmUp({ configuration, logger });
    const notifyHosts = (hosts: string[]) => waitingHosts.wake(hosts);
    const options = { configuration, logger, connection, db, billing, hostAnswers, notifyHosts };
    const create = () => createWorker({ ...options, onWarmUp: warmUp.noteRun });
    const worker = await createWhenReachable(create, logger, ending);
    if (!worker) return;
    const temporal = createTemporalClient(connection, configuration.temporal);
    onRunning(temporal);
    const running = worker.run();
    ending.addEventListener('abort', () => worker.shutdown(), { once: true });
    if (ending.aborted) worker.shutdown();
    void warmUp.run(temporal, ending).then(warm.resolve);
    await running;
    await billing.close();
  }

  const finished = run()
    .catch((error: unknown) => logger.error({ err: error }, 'the embedded worker has failed'))
    .finally(warm.resolve);
  return {
    warm: warm.promise,
    async stop() {
      closing.abort();
      await finished;
      await connection?.close();
    },
  };
}
