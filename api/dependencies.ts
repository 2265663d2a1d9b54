import type { Logger } from 'pino';
import { createAcknowledgmentSink } from '../client/acknowledgment-sink.ts';
import type { AdmissionDesk } from '../client/admission-desk.ts';
import { createReservedIpClient } from '../client/index.ts';
import type { ReservedIpClient } from '../client/types.ts';
import type { ApiConfiguration } from '../config/configuration.ts';
import { openDatabase } from '../db/database.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import type { OperationId } from '../domain/identifiers.ts';
import type { Operation } from '../domain/operation.ts';
import type { Verdict } from '../domain/verdict.ts';
import { openTemporalClient } from '../temporal/connection.ts';
import { installTemporalRuntime } from '../workers/runtime.ts';
import { operationRules } from '../workers/worker.ts';
import { createAdmissionDesk } from './admission-desk.ts';
import type { ApiDependencies } from './context.ts';
import { startEmbeddedWorker } from './embedded-worker.ts';
import { mysqlProbe, temporalProbe } from './health-probes.ts';
import { WaitingHosts } from './host-events/waiting-hosts.ts';
import { TokenUses } from './token-uses.ts';

/** What {@link createDependencies} made, and how to let go of it. */
export interface OpenDependencies {
  dependencies: ApiDependencies;
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
  const decisions = new Map<OperationId, Promise<Verdict>>();
  const desk = tellingDesk(createAdmissionDesk(db, operationRules(configuration)), waitingHosts, decisions);

  const temporal = openTemporalClient(configuration.temporal);
  let client = createReservedIpClient({ temporal, desk });
  const embedded = configuration.EMBEDDED_WORKER
    ? startEmbeddedWorker({
        configuration,
        logger,
        stopping,
        db,
        waitingHosts,
        decisionsInProgress: (operationId) => decisions.get(operationId),
        onRunning: (eagerTemporal) => {
          // Temporal hands an eager task out without a look at the build, which may not be the current one.
          const eager = configuration.WORKER_BUILD_ID === undefined;
          client = createReservedIpClient({ temporal: eagerTemporal, desk, eager });
        },
      })
    : null;

  return {
    dependencies: {
      db,
      client: following(() => client),
      acknowledgments: createAcknowledgmentSink(temporal),
      logger,
      adminToken: configuration.ADMIN_TOKEN,
      waitingHosts,
      stopping,
      health: { mysql: mysqlProbe(db), temporal: temporalProbe(temporal) },
      limits: configuration,
      tokenUses,
    },
    async close() {
      waitingHosts.close();
      await embedded?.stop();
      await temporal.connection.close();
      await tokenUses.close();
      await db.destroy();
    },
  };
}

/**
 * A desk whose hosts that wait in this process hear of an admission at once. `decisions` has every decision while it is
 * being made, for a worker in this process.
 */
function tellingDesk(
  desk: AdmissionDesk,
  waitingHosts: WaitingHosts,
  decisions: Map<OperationId, Promise<Verdict>>,
): AdmissionDesk {
  async function decide(operation: Operation, started: Promise<unknown>): Promise<Verdict> {
    const verdict = await desk.admit(operation, started);
    if (verdict.kind === 'admitted') waitingHosts.wake(hostsOf(verdict));
    return verdict;
  }
  return {
    ...desk,
    admit(operation, started) {
      const decision = decide(operation, started);
      decisions.set(operation.id, decision);
      return decision.finally(() => decisions.delete(operation.id));
    },
  };
}

/** A client that is always the newest one: the eager one takes over when its worker is up. */
function following(current: () => ReservedIpClient): ReservedIpClient {
  return {
    reserve: (request) => current().reserve(request),
    assign: (request) => current().assign(request),
    unassign: (request) => current().unassign(request),
    release: (request) => current().release(request),
  };
}
