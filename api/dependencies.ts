import type { Logger } from 'pino';
import { HostAnswers } from '../activities/host-answers.ts';
import { createAdmission } from '../admission/admission.ts';
import { createAcknowledgmentSink } from '../client/acknowledgment-sink.ts';
import { openDatabase } from '../db/database.ts';
import { reconcile } from '../outbox/reconciler.ts';
import { OperationStarter } from '../outbox/starter.ts';
import { openTemporalClient } from '../platform/temporal/connection.ts';
import { installTemporalRuntime } from '../workers/runtime.ts';
import { mayStartEagerly, operationRules, operationTimeouts } from '../workers/worker.ts';
import { BackgroundTasks } from './background-tasks.ts';
import type { ApiDependencies } from './context.ts';
import { startEmbeddedWorker } from './embedded-worker.ts';
import { mysqlProbe, temporalProbe } from './health-probes.ts';
import { WaitingHosts } from './host-commands/waiting-hosts.ts';
import type { ApiConfiguration } from './settings.ts';
import { TokenUses } from './token-uses.ts';
import { ApiWarmUp } from './warm-up.ts';

/** What {@link createDependencies} made, and how to close it. */
export interface OpenDependencies {
  dependencies: ApiDependencies;
  /** Has the process prepare itself for its first operation, while `/readyz` says so. Does not wait. */
  warmUp(): void;
  close(): Promise<void>;
}

/**
 * Connects the API to its servers. Nothing here waits for one of them: the API starts while they are down, and says so
 * on `/readyz`. When `stopping` is aborted, its embedded worker takes no more tasks.
 */
export async function createDependencies(
  configuration: ApiConfiguration,
  logger: Logger,
  stopping: AbortSignal = new AbortController().signal,
): Promise<OpenDependencies> {
  installTemporalRuntime(logger, configuration.METRICS_ADDRESS);
  const db = openDatabase(configuration.mysql);
  const waitingHosts = new WaitingHosts({ db, logger, mostPerHost: configuration.API_HOST_POLLS });
  const tokenUses = new TokenUses({ db, logger, everyMs: configuration.API_TOKEN_USES_EVERY_SECONDS * 1_000 });
  const hostAnswers = new HostAnswers({ db });
  const temporal = openTemporalClient(configuration.temporal);
  const starter = new OperationStarter({ db, temporal, logger, timeouts: operationTimeouts(configuration) });
  const admit = createAdmission({
    db,
    rules: operationRules(configuration),
    // The request is answered first: nothing of this is for the one who waits for the answer.
    notifyHosts: (hosts) => void setImmediate(() => waitingHosts.wake(hosts)),
    start: (operation, admitted) => void setImmediate(() => starter.start(operation, admitted)),
  });
  const backgroundTasks = new BackgroundTasks();
  const warmUp = new ApiWarmUp();
  const closing = new AbortController();
  const reconciling = reconcile({ db, starter, logger, signal: AbortSignal.any([stopping, closing.signal]) });
  const embedded = configuration.EMBEDDED_WORKER
    ? startEmbeddedWorker({
        configuration,
        logger,
        stopping,
        db,
        waitingHosts,
        hostAnswers,
        onRunning: (eagerTemporal) => {
          if (mayStartEagerly(configuration)) starter.startEagerly(eagerTemporal);
        },
      })
    : null;

  return {
    dependencies: {
      db,
      admit,
      acknowledgments: createAcknowledgmentSink(temporal),
      notifyWorker: embedded ? (answer) => hostAnswers.record(answer) : () => false,
      backgroundTasks,
      logger,
      adminToken: configuration.ADMIN_TOKEN,
      waitingHosts,
      stopping,
      health: { mysql: mysqlProbe(db), temporal: temporalProbe(temporal) },
      warmUp,
      limits: configuration,
      tokenUses,
    },
    warmUp() {
      const worker = embedded?.warm ?? null;
      warmUp.begin({
        db,
        logger,
        worker,
        rules: operationRules(configuration),
        timeoutMs: configuration.WARM_UP_TIMEOUT_MS,
      });
    },
    async close() {
      waitingHosts.close();
      closing.abort();
      await backgroundTasks.finished();
      await reconciling;
      await starter.close();
      await embedded?.stop();
      await tokenUses.close();
      await db.destroy();
      // At the very end: the SDK tries a call again on a timer that nobody can stop, and fails on a closed connection.
      await temporal.connection.close();
    },
  };
}
