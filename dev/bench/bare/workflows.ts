import { condition, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { BareActivities } from './activities.ts';
import { answer } from './updates.ts';

/*
 * What Temporal itself costs: the least that can be compared with an operation.
 */

const { nothing: nothingNearby } = proxyLocalActivities<BareActivities>({ startToCloseTimeout: '10 seconds' });
const { nothing: nothingElsewhere } = proxyActivities<BareActivities>({ startToCloseTimeout: '10 seconds' });

/** Does nothing at all. */
export async function empty(): Promise<void> {}

/** As many workflow tasks and activities as an assign has, none of which does anything. */
export async function bareAssign(): Promise<void> {
  await nothingNearby();
  await nothingElsewhere();
  await nothingNearby();
  await nothingNearby();
}

/** Answers an update after one local activity, as an operation gives its decision. */
export async function answering(): Promise<void> {
  let ready = false;
  setHandler(answer, () => condition(() => ready));
  await nothingNearby();
  ready = true;
}
