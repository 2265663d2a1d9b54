import type { Client } from '@temporalio/client';
import type { Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { DecisionsInProgress } from '../activities/admit.ts';
import { createBillingPublisher } from '../billing/publisher.ts';
import type { ApiConfiguration } from '../config/configuration.ts';
import type { Database } from '../db/database.ts';
import { createTemporalClient } from '../temporal/connection.ts';
import { connectToTemporal } from '../workers/connect.ts';
import { createWorker } from '../workers/worker.ts';
import type { WaitingHosts } from './host-events/waiting-hosts.ts';

/** Options of {@link startEmbeddedWorker}. */
export interface EmbeddedWorkerOptions {
  configuration: ApiConfiguration;
  logger: Logger;
  db: Database;
  waitingHosts: WaitingHosts;
  decisionsInProgress: DecisionsInProgress;
  /** Called once the worker polls, with a client on its connection: what that starts can be run here at once. */
  onRunning(temporal: Client): void;
}

/** A worker inside the API process. */
export interface EmbeddedWorker {
  /** Finishes what is running and lets go of the connections. */
  stop(): Promise<void>;
}

/** Starts a worker beside the API as soon as Temporal can be reached; the API does not wait for it. */
export function startEmbeddedWorker(options: EmbeddedWorkerOptions): EmbeddedWorker {
  const { configuration, logger, db, waitingHosts, decisionsInProgress, onRunning } = options;
  const stopping = new AbortController();
  let worker: Worker | undefined;

  async function run(): Promise<void> {
    const connection = await connectToTemporal(configuration.temporal, logger, stopping.signal);
    if (!connection) return;
    const billing = createBillingPublisher({ ...configuration.kafka, logger });
    worker = await createWorker({
      configuration,
      logger,
      connection,
      db,
      billing,
      decisionsInProgress,
      notifyHosts: (hosts) => waitingHosts.wake(hosts),
    });
    onRunning(createTemporalClient(connection, configuration.temporal));
    const running = worker.run();
    if (stopping.signal.aborted) worker.shutdown();
    await running;
    await billing.close();
    await connection.close();
  }

  const finished = run().catch((error: unknown) => logger.error({ err: error }, 'the embedded worker has failed'));
  return {
    async stop() {
      stopping.abort();
      if (worker?.getState() === 'RUNNING') worker.shutdown();
      await finished;
    },
  };
}
