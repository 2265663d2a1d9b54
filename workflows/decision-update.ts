import { condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AnnouncedVerdict, Verdict } from '../domain/decision.ts';

/** Asks a running operation for its verdict, and waits until it has one. For starters that have no database. */
export const verdictUpdate = defineUpdate<AnnouncedVerdict>('verdict');

/** What answers {@link verdictUpdate}. */
export interface VerdictDesk {
  /** Gives the verdict to whoever waits for it, and to whoever will ask. */
  announce(verdict: Verdict): void;
  /** Whether somebody has asked by now. */
  wasAsked(): boolean;
}

/** Answers {@link verdictUpdate} from now on. */
export function openVerdictDesk(): VerdictDesk {
  let announced: AnnouncedVerdict | undefined;
  let asked = false;
  setHandler(verdictUpdate, async () => {
    asked = true;
    await condition(() => announced !== undefined);
    if (!announced) throw new Error('the operation ended without a verdict');
    return announced;
  });
  return {
    announce(verdict) {
      announced = { verdict, runId: workflowInfo().runId };
    },
    wasAsked: () => asked,
  };
}
