import type { Client } from '@temporalio/client';
import { DEPLOYMENT_NAME } from '../../domain/names.ts';

const NOT_FOUND = 5;
const CALL_TIMEOUT_MS = 10_000;

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
 * Has new operations begin on a build; null stands for the workers that have no build id. Temporal rejects a build
 * whose workers it has not seen.
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
}

async function describeDeployment(temporal: Client) {
  const { namespace } = temporal.options;
  try {
    const answer = await call(temporal, () =>
      temporal.workflowService.describeWorkerDeployment({ namespace, deploymentName: DEPLOYMENT_NAME }),
    );
    return answer.workerDeploymentInfo;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === NOT_FOUND) return null;
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
