import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { readBillingEvents } from '../billing/consume.ts';
import type { KafkaSettings } from '../config/servers.ts';
import { listBillableActions } from '../db/audited-operations.ts';
import type { Database } from '../db/database.ts';
import type { Violation } from '../domain/audit-report.ts';
import { checkBilling } from './checks/billing.ts';
import { checkDatabase } from './checks/database.ts';
import { checkWorkflows } from './checks/workflows.ts';
import { identityOf } from './violation.ts';

/** Options of {@link audit}. */
export interface AuditOptions {
  db: Database;
  temporal: Client;
  kafka: KafkaSettings;
  logger: Logger;
  /** How often to look before something counts as a violation; default 4. */
  looks?: number;
  /** Pause between two looks, in milliseconds; default 1,000. */
  pauseMs?: number;
}

/**
 * Checks the invariants over MySQL, Temporal and the billing topic of a live system. What is on its way at one look is
 * settled by the next, so only what every look sees is a violation.
 */
export async function audit(options: AuditOptions): Promise<Violation[]> {
  const { looks = 4, pauseMs = 1_000 } = options;
  let standing = await look(options);
  for (let done = 1; done < looks && standing.length > 0; done++) {
    await sleep(pauseMs);
    const seen = new Set((await look(options)).map(identityOf));
    standing = standing.filter((violation) => seen.has(identityOf(violation)));
  }
  return standing;
}

async function look({ db, temporal, kafka, logger }: AuditOptions): Promise<Violation[]> {
  // The actions are read before the topic, so that what is settled meanwhile does not look unpublished.
  const now = new Date();
  const actions = await listBillableActions(db);
  const [inDatabase, inWorkflows, events] = await Promise.all([
    checkDatabase(db, 'all'),
    checkWorkflows(db, temporal),
    readBillingEvents({ ...kafka, logger }),
  ]);
  return [...inDatabase, ...inWorkflows, ...checkBilling(actions, events, now)];
}
