import { proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { BillingChange } from '../domain/billing.ts';

const { publishBilling } = proxyActivities<Activities>({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '1 minute' },
});

/** Publishes one billing event, for as long as it takes. */
export async function publishBillingEvent(change: BillingChange): Promise<void> {
  await publishBilling(change);
}
