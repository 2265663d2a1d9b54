import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { RECONCILER_SCHEDULE_ID, TASK_QUEUE } from '../../domain/names.ts';

/**
 * Schedules the audit in the client's namespace, or brings its schedule up to date; takes it away when `everySeconds`
 * is 0. What an operator has paused stays paused.
 */
export async function scheduleReconciler(temporal: Client, everySeconds: number): Promise<void> {
  const handle = temporal.schedule.getHandle(RECONCILER_SCHEDULE_ID);
  if (everySeconds === 0) {
    await handle.delete().catch((error: unknown) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    });
    return;
  }
  const spec = { intervals: [{ every: everySeconds * 1_000 }] };
  const action = {
    type: 'startWorkflow' as const,
    workflowType: 'audit',
    workflowId: RECONCILER_SCHEDULE_ID,
    taskQueue: TASK_QUEUE,
    args: [],
    // One that hangs must not keep the next ones from being run.
    workflowExecutionTimeout: '20 minutes' as const,
  };
  // One that is late looks at all that changed since the last, so those that were missed need not be made up for.
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: everySeconds * 1_000 };
  try {
    await temporal.schedule.create({ scheduleId: RECONCILER_SCHEDULE_ID, spec, action, policies });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handle.update((schedule) => ({ ...schedule, spec, action, policies }));
  }
}
