import type { BenchEnvironment } from './environment.ts';

/** What a run left in its history. */
export interface HistoryCount {
  events: number;
  workflowTasks: number;
}

/** Counts the history of the newest run of a workflow. */
export async function countHistory(environment: BenchEnvironment, workflowId: string): Promise<HistoryCount> {
  const { events } = await environment.temporal.workflow.getHandle(workflowId).fetchHistory();

  return {
    events: events?.length ?? 0,
    workflowTasks: events?.filter((event) => event.workflowTaskCompletedEventAttributes).length ?? 0,
  };
}
