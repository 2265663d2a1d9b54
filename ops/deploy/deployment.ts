import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, isGrpcServiceError } from '@temporalio/client';
import { DEPLOYMENT_NAME } from '../../domain/names.ts';

const CALL_TIMEOUT_MS = 10_000;
/** Every task queue knows of a new current build within moments, unless Temporal is in trouble. */
const ROUTING_TIMEOUT_MS = 60_000;
const ROUTING_LOOK_MS = 100;

/** gRPC's codes. */
const NOT_FOUND = 5;
/** DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED and UNAVAILABLE: Temporal is slow, too busy or restarting. */
const PASSING = [4, 8, 14];
/** Temporal's RoutingConfigUpdateState. */
const ROUTING_IN_PROGRESS = 1;

/**
 * Where a build stands. New operations begin on the current one; a draining one has operations that began on it and are
 * not ended; a drained one has none, so its workers can go. An inactive one, and a created one, were never current.
 */
export type BuildState = (typeof STATES)[number];

/** In the order of Temporal's enumeration WorkerDeploymentVersionStatus. */
const STATES = ['unknown', 'inactive', 'current', 'ramping', 'draining', 'drained', 'created'] as const;

/** A build whose workers have been seen by Temporal. */
export interface Build {
  id: string;
  state: BuildState;
  /** When Temporal first saw a worker of it. */
  seenAt: Date | null;
  /** Operations that are open and pinned to it, as visibility has it: some seconds late. */
  openOperations: number;
}

/** All builds of the workers, the newest first; empty when none was ever versioned. */
export async function listBuilds(temporal: Client): Promise<Build[]> {
  const description = await describeDeployment(temporal);
  const builds = (description?.versionSummaries ?? []).map(async (summary): Promise<Build> => {
    const id = summary.deploymentVersion?.buildId ?? '';
    const seconds = summary.createTime?.seconds;
    return {
      id,
      state: STATES[summary.status ?? 0] ?? 'unknown',
      seenAt: seconds ? new Date(Number(seconds) * 1_000) : null,
      openOperations: await countOpen(temporal, id),
    };
  });
  return (await Promise.all(builds)).sort((a, b) => (b.seenAt?.getTime() ?? 0) - (a.seenAt?.getTime() ?? 0));
}

/**
 * Has new operations begin on a build; null stands for the workers that have no build id. Resolves when every task queue
 * knows of it, so that nothing that is started from then on begins on another. Temporal rejects a build whose workers it
 * has not seen.
 */
export async function makeCurrent(temporal: Client, buildId: string | null): Promise<void> {
  await call(temporal, () =>
    temporal.workflowService.setWorkerDeploymentCurrentVersion({
      namespace: temporal.options.namespace,
      deploymentName: DEPLOYMENT_NAME,
      buildId: buildId ?? '',
      identity: temporal.options.identity,
    }),
  );
  const deadline = performance.now() + ROUTING_TIMEOUT_MS;
  while ((await describeDeployment(temporal))?.routingConfigUpdateState === ROUTING_IN_PROGRESS) {
    if (performance.now() > deadline) {
      throw new Error(
        `the build is current, but Temporal has not told all task queues within ${ROUTING_TIMEOUT_MS} ms`,
      );
    }
    await sleep(ROUTING_LOOK_MS);
  }
}

/** An answer of Temporal that says nothing about what was asked; the same call may succeed a moment later. */
export function isPassing(error: unknown): boolean {
  return isGrpcServiceError(error) && PASSING.includes(error.code);
}

async function describeDeployment(temporal: Client) {
  const { namespace } = temporal.options;
  try {
    const answer = await call(temporal, () =>
      temporal.workflowService.describeWorkerDeployment({ namespace, deploymentName: DEPLOYMENT_NAME }),
    );
    return answer.workerDeploymentInfo;
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === NOT_FOUND) return null;
    throw error;
  }
}

async function countOpen(temporal: Client, buildId: string): Promise<number> {
  const query =
    `TemporalWorkerDeploymentVersion = '${DEPLOYMENT_NAME}:${buildId}' ` +
    "AND TemporalWorkflowVersioningBehavior = 'Pinned' AND ExecutionStatus = 'Running'";
  const { count } = await call(temporal, () => temporal.workflow.count(query));
  return count;
}

function call<Answer>(temporal: Client, run: () => Promise<Answer>): Promise<Answer> {
  return temporal.withDeadline(Date.now() + CALL_TIMEOUT_MS, run);
}
