import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import { TASK_QUEUE } from '../../domain/names.ts';
import { createPrivateEnvironment, type PrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer } from '../support/reserved.ts';

let environment: PrivateEnvironment;
let db: Database;
beforeAll(async () => {
  environment = await createPrivateEnvironment({ ownDatabase: true, worker: true });
  ({ db } = environment);
  return environment.close;
});

async function countKeys(): Promise<number> {
  const { count } = await db
    .selectFrom('idempotency_keys')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

test('the scheduled reconciler deletes idempotency keys of more than a day ago, and no other', async () => {
  const { world, account } = await useCustomer({ agents: 0, apiUrl: environment.apiUrl });
  const headers = { 'idempotency-key': 'kept' };
  const first = await account.http.post('/v2/reserved_ips', { region: world.region }, { headers });
  // More than one statement deletes; the last one is a minute younger than a day.
  const hash = (text: string) => createHash('sha256').update(text).digest();
  await db
    .insertInto('idempotency_keys')
    .values(
      Array.from({ length: 2_501 }, (_, number) => ({
        account_id: account.id,
        key_hash: hash(String(number)),
        request_hash: hash(''),
        operation_id: newOperationId(),
        leased_until: sql<Date>`NOW(3)`,
        status: 202,
        body: '{}',
        created_at: sql<Date>`NOW(3) - INTERVAL ${sql.lit(number < 2_500 ? 86_460 : 86_340)} SECOND`,
      })),
    )
    .execute();
  expect(await countKeys()).toBe(2_502);

  await environment.temporal.workflow.execute('audit', { workflowId: 'audit', taskQueue: TASK_QUEUE });

  expect(await countKeys()).toBe(2);
  const repeated = await account.http.post('/v2/reserved_ips', { region: world.region }, { headers });
  expect(repeated.body).toEqual(first.body);
});
