import { Context } from '@temporalio/activity';
import { ATTEMPT_SIGNAL, type Attempt, isWorthReporting } from '../domain/attempt.ts';

const SIGNAL_TIMEOUT_MS = 2_000;

/**
 * Reports to the workflow that this activity is being retried, so that it can show and mark it. When the report is lost,
 * the attempt continues all the same.
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
    log.warn('an attempt could not be reported to its workflow', { workflowId, attempt, error });
  }
}
