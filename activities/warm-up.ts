import type { BillingPublisher } from '../billing/publisher.ts';
import type { Database } from '../db/database.ts';
import type { OperationRules } from '../db/operations/admit.ts';
import { prepareDatabase } from '../db/operations/prepare.ts';

/** What {@link prepare} works with. */
export interface WarmUpDependencies {
  db: Database;
  rules: OperationRules;
  billing: BillingPublisher;
  /** Called in the process that has run the activity. */
  onWarmUp?: () => void;
}

/** Reaches everything that an operation needs, and says so. Never throws: what is away is met again by who needs it. */
export async function prepare({ db, rules, billing, onWarmUp }: WarmUpDependencies): Promise<void> {
  await Promise.allSettled([prepareDatabase(db, rules), billing.connect()]);
  onWarmUp?.();
}
