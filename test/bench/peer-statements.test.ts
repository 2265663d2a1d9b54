import { randomUUID } from 'node:crypto';
import { createConnection, type RowDataPacket } from 'mysql2/promise';
import { expect, inject, onTestFinished, test } from 'vitest';
import { admit, openPeerDatabase, settle } from '../../dev/bench/peers/common/database.ts';
import type { Admitted, OperationRequest } from '../../dev/bench/peers/common/operation.ts';
import { ACCOUNT_ID, makePeerDatabase, readOutcome } from '../../dev/bench/peers/common/tables.ts';

/*
 * What the peers of `npm run bench:peers` have in common. Their recoveries are worth something only if a step that is
 * repeated does nothing twice, and if what is done twice is noticed.
 */

test('an operation of a peer that is admitted and settled again is the same one', async () => {
  const { pool, url, request } = await usePeer();
  const [first, second] = [await admit(pool, request), await admit(pool, request)];
  expect(second).toEqual(first);
  const admitted = asAdmitted(first);
  const settledAt = await settle(pool, request, admitted);
  expect(await settle(pool, request, admitted)).toBe(settledAt);
  expect(await admit(pool, request)).toEqual(first);
  expect(await readOutcome(url, [request.operationId])).toEqual({ completed: 1, doubled: 0, open: 0 });
});

test('a peer admits one operation of an address at a time, and no move to where the address is', async () => {
  const { pool, request } = await usePeer();
  const [one, other] = await Promise.all([
    admit(pool, request),
    admit(pool, { ...request, operationId: randomUUID() }),
  ]);
  expect([one.kind, other.kind].toSorted()).toEqual(['admitted', 'rejected']);
  const winner = one.kind === 'admitted' ? one : asAdmitted(other);
  await settle(pool, request, winner);
  expect(await admit(pool, { ...request, operationId: randomUUID() })).toEqual({
    kind: 'rejected',
    reason: 'already_there',
  });
});

test('an address of a peer that was changed without an action is found', async () => {
  const { pool, url, request } = await usePeer();
  await settle(pool, request, asAdmitted(await admit(pool, request)));
  await pool.query('UPDATE addresses SET generation = generation + 1 WHERE address = INET6_ATON(?)', [request.address]);
  expect(await readOutcome(url, [request.operationId])).toEqual({ completed: 1, doubled: 1, open: 0 });
});

test('an operation of a peer that was never settled is found', async () => {
  const { pool, url, request } = await usePeer();
  await admit(pool, request);
  expect(await readOutcome(url, [request.operationId])).toEqual({ completed: 0, doubled: 0, open: 1 });
});

async function usePeer() {
  const { mysqlUrl } = inject('environment');
  const peer = `test_${randomUUID().slice(0, 8)}`;
  const { url, lanes } = await makePeerDatabase(mysqlUrl, peer, ['http://127.0.0.1:1/after/0']);
  const pool = openPeerDatabase(url, 2);
  onTestFinished(async () => {
    await pool.end();
    const connection = await createConnection({ uri: mysqlUrl });
    await connection.query<RowDataPacket[]>('DROP DATABASE ??', [new URL(url).pathname.slice(1)]);
    await connection.end();
  });
  const [lane] = lanes;
  if (!lane) throw new Error('there is no lane');
  const { address, dropletId } = lane;
  const request: OperationRequest = { operationId: randomUUID(), accountId: ACCOUNT_ID, address, dropletId };
  return { pool, url, request };
}

function asAdmitted(decision: Awaited<ReturnType<typeof admit>>): Admitted {
  if (decision.kind === 'rejected') throw new Error(`rejected: ${decision.reason}`);
  return decision;
}
