import type { Client } from '@temporalio/client';
import { pino } from 'pino';
import { inject } from 'vitest';
import type { Database } from '../../db/database.ts';
import type { Account } from '../../dev/kit/account.ts';
import { addressFromBytes } from '../../domain/address.ts';
import { billingEventId } from '../../domain/names.ts';
import { checkConsistency } from '../../ops/consistency/check.ts';
import { describeViolation } from '../../ops/consistency/violation.ts';

/** What the consistency check finds about these accounts; other tests leave broken things behind on purpose. */
export async function checkAccounts(db: Database, temporal: Client, accounts: Account[], looks = 6): Promise<string[]> {
  const kafka = { brokers: inject('environment').kafkaBrokers.split(',') };
  const violations = await checkConsistency({ db, temporal, kafka, logger: pino({ level: 'silent' }), looks });
  const accountIds = accounts.map(({ id }) => id);
  const [actions, operations] = await Promise.all([
    db.selectFrom('actions').select(['id', 'address']).where('account_id', 'in', accountIds).execute(),
    db.selectFrom('operations').select(['id', 'workflow_id']).where('account_id', 'in', accountIds).execute(),
  ]);
  const subjects = new Set([
    ...actions.flatMap(({ id, address }) => [
      `action ${id}`,
      billingEventId(id),
      ...(address === null ? [] : [addressFromBytes(address)]),
    ]),
    ...operations.flatMap((operation) => [`operation ${operation.id}`, operation.workflow_id]),
  ]);
  return violations.filter(({ subject }) => subjects.has(subject)).map(describeViolation);
}
