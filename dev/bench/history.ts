import type { BenchStack } from './stack.ts';

/** What a run left in its history. */
export interface HistoryCount {
  events: number;
  workflowTasks: number;
}

/** Counts the history of the newest run of a workflow. */
export async function countHistory(stack: BenchStack, workflowId: string): Promise<HistoryCount> {
  const { events } = await stack.temporal.workflow.getHandle(workflowId).fetchHistory();

  return {
    events: events?.length ?? 0,
    workflowTasks: events?.filter((event) => event.workflowTaskCompletedEventAttributes).length ?? 0,
  };
}
