import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { readBillingEvents } from '../../billing/consume.ts';
import { listBillableActions, listForeignActionIds } from '../../db/checked-operations.ts';
import type { Database } from '../../db/database.ts';
import type { Violation } from '../../domain/consistency-report.ts';
import { billingEventId } from '../../domain/names.ts';
import type { KafkaSettings } from '../../platform/config/servers.ts';
import { checkBilling } from './checks/billing.ts';
import { checkDatabase } from './checks/database.ts';
import { checkWorkflows } from './checks/workflows.ts';
import { type Looks, lastingViolations } from './lasting-violations.ts';

/** Options of {@link checkConsistency}. */
export interface ConsistencyCheckOptions extends Looks {
  db: Database;
  temporal: Client;
  kafka: KafkaSettings;
  logger: Logger;
}

/**
 * Checks the invariants over MySQL, Temporal and the billing topic of a live system. What is on its way at one look is
 * settled by the next, so only what every look sees is a violation.
 */
export function checkConsistency(options: ConsistencyCheckOptions): Promise<Violation[]> {
  return lastingViolations(() => look(options), options);
}

async function look({ db, temporal, kafka, logger }: ConsistencyCheckOptions): Promise<Violation[]> {
  // The actions are read before the topic, so that what is settled meanwhile does not look unpublished.
  const now = new Date();
  const actions = await listBillableActions(db);
  const [inDatabase, inWorkflows, events] = await Promise.all([
    checkDatabase(db, 'all'),
    checkWorkflows(db, temporal),
    readBillingEvents({ ...kafka, logger }),
  ]);
  const foreign = new Set((await listForeignActionIds(db)).map(billingEventId));
  const changes = events.changes.filter(({ eventId }) => !foreign.has(eventId));
  return [...inDatabase, ...inWorkflows, ...checkBilling(actions, { ...events, changes }, now)];
}
