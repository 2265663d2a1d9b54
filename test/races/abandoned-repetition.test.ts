import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../db/database.ts';
import { dropIdempotencyKey, takeIdempotencyKey } from '../../db/idempotency.ts';
import { until } from '../../dev/kit/until.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import { createPrivateEnvironment } from '../support/private-environment.ts';
import { useCustomer } from '../support/reserved.ts';

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

test('a request that waits for its repetition does nothing when that was told that nothing happened', async () => {
  const environment = await createPrivateEnvironment({ ownDatabase: true });
  const db = openDatabase({ url: environment.mysqlUrl, poolSize: 4 });
  onTestFinished(async () => {
    await db.destroy();
    await environment.close();
  });
  const { world, account } = await useCustomer({ agents: 0, apiUrl: environment.apiUrl });
  const text = randomUUID();
  const body = { region: world.region };
  const key = { accountId: account.id, keyHash: sha256(text) };
  const operationId = newOperationId();
  const hash = sha256(`POST /v2/reserved_ips\n${JSON.stringify(body)}`);
  // The repetition, at another process.
  await takeIdempotencyKey(db, key, { hash, operationId, leaseSeconds: 15 });

  // While the key's row is locked, the request can be seen to ask for it.
  const locked = Promise.withResolvers<void>();
  const unlock = Promise.withResolvers<void>();
  const holding = db.transaction().execute(async (tx) => {
    await tx.selectFrom('idempotency_keys').selectAll().where('key_hash', '=', key.keyHash).forUpdate().execute();
    locked.resolve();
    await unlock.promise;
  });
  await locked.promise;
  const waiting = account.http.post('/v2/reserved_ips', body, { headers: { 'idempotency-key': text } });
  await until('the request asks for its key', async () => {
    const { rows } = await sql<{ info: string }>`
      SELECT info AS info FROM information_schema.processlist WHERE db = DATABASE()`.execute(db);
    return rows.some(({ info }) => /^insert ignore into `idempotency_keys`/.test(info ?? ''));
  });
  unlock.resolve();
  await holding;
  await dropIdempotencyKey(db, key, operationId);

  expect(await waiting).toMatchObject({
    status: 503,
    body: { message: expect.stringContaining('Nothing was changed') },
  });
  const { body: list } = await account.http.get('/v2/reserved_ips');
  expect(list).toMatchObject({ reserved_ips: [] });
  const again = await account.http.post('/v2/reserved_ips', body, { headers: { 'idempotency-key': text } });
  expect(again.status).toBe(202);
});
