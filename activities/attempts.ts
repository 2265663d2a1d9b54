import { Context } from '@temporalio/activity';
import { ATTEMPT_SIGNAL, type Attempt, isWorthReporting } from '../domain/attempt.ts';

const SIGNAL_TIMEOUT_MS = 2_000;

/**
 * Tells the workflow that this activity is being tried again, so that it can show and mark it. When that does not get
 * through, the attempt goes on all the same.
 */
export async function reportAttempt(): Promise<void> {
  const context = Context.current();
  const { attempt, activityId, workflowExecution } = context.info;
  if (attempt === 1 || !isWorthReporting(attempt) || !workflowExecution) return;
  const { workflowId, runId } = workflowExecution;
  const { client, log } = context;
  try {
    await client.withDeadline(Date.now() + SIGNAL_TIMEOUT_MS, () =>
      client.workflow.getHandle(workflowId, runId).signal<[Attempt]>(ATTEMPT_SIGNAL, { activityId, attempt }),
    );
  } catch (error) {
    log.warn('the workflow could not be told of an attempt', { workflowId, attempt, error });
  }
}
