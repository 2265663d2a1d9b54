import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import type { Decision, OperationRequest } from '../common/operation.ts';
import type { PeerActivities } from './activities.ts';

/** Answers with the decision as soon as there is one. */
export const decided = defineUpdate<Decision>('decided');

const { admit, changeHost, settle, publish } = proxyActivities<PeerActivities>({ startToCloseTimeout: '10 seconds' });

/** The operation as regular activities, with an early return to the caller that started it. Its result is the decision. */
export async function operation(request: OperationRequest): Promise<Decision> {
  let decision: Decision | undefined;
  setHandler(decided, async () => {
    await condition(() => decision !== undefined);
    if (decision === undefined) throw new Error('unreachable: the condition held');
    return decision;
  });
  decision = await admit(request);
  if (decision.kind === 'rejected') return decision;
  await changeHost(request, decision);
  const settledAt = await settle(request, decision);
  await publish({ request, actionId: decision.actionId, settledAt });
  return decision;
}
