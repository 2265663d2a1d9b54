import { condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AnnouncedVerdict, Verdict } from '../domain/verdict.ts';

/** Asks a running operation for its verdict, and waits until it has one. For starters that have no database. */
export const verdictUpdate = defineUpdate<AnnouncedVerdict>('verdict');

/** Answers {@link verdictUpdate}; the operation announces its verdict by the function that this gives. */
export function announceVerdict(): (verdict: Verdict) => void {
  let announced: AnnouncedVerdict | undefined;
  setHandler(verdictUpdate, async () => {
    await condition(() => announced !== undefined);
    if (!announced) throw new Error('the operation ended without a verdict');
    return announced;
  });
  return (verdict) => {
    announced = { verdict, runId: workflowInfo().runId };
  };
}
