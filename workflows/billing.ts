import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { BillingChange } from '../domain/billing.ts';
import { Progress } from './progress.ts';

const ACTIVITY_ID = 'publish';

const { publishBilling } = proxyActivities<Activities>({
  activityId: ACTIVITY_ID,
  startToCloseTimeout: '10 seconds',
  summary: 'waiting for Kafka',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Publishes one billing event, for as long as it takes. It is stuck after `stuckAfterMs` milliseconds. */
export async function publishBillingEvent(change: BillingChange, stuckAfterMs: number): Promise<void> {
  const what = `waiting for Kafka to take billing event ${change.eventId} (${change.kind} ${change.address})`;
  const step = { what, stuckAfterMs, activity: { id: ACTIVITY_ID, attempts: null } };
  await new Progress().during(step, () => publishBilling(change));
}
