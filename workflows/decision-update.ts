import { condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import type { AnnouncedDecision, Decision } from '../domain/decision.ts';

/** Asks a running operation for its decision, and waits until it has one. For starters that have no database. */
export const decisionUpdate = defineUpdate<AnnouncedDecision>('verdict');

/** What answers {@link decisionUpdate}. */
export interface DecisionHandler {
  /** Gives the decision to whoever waits for it, and to whoever will ask. */
  announce(decision: Decision): void;
  /** Whether somebody has asked by now. */
  wasAsked(): boolean;
}

/** Answers {@link decisionUpdate} from now on. */
export function handleDecisionUpdate(): DecisionHandler {
  let announced: AnnouncedDecision | undefined;
  let asked = false;
  setHandler(decisionUpdate, async () => {
    asked = true;
    await condition(() => announced !== undefined);
    if (!announced) throw new Error('the operation ended without a decision');
    return announced;
  });
  return {
    announce(decision) {
      announced = { verdict: decision, runId: workflowInfo().runId };
    },
    wasAsked: () => asked,
  };
}
