import { describe, expect, test } from 'vitest';
import { HostAnswers } from '../../activities/host-answers.ts';
import type { Database } from '../../db/database.ts';
import { admitBy } from '../../db/operations/admission.ts';
import { findDecision } from '../../db/operations/admit.ts';
import { FenceMissingError } from '../../db/operations/errors.ts';
import { moveCommands } from '../../db/operations/host-command-writes.ts';
import {
  addressQuery,
  dropletQuery,
  type LockedAddress,
  type LockedDroplet,
  nextGeneration,
  toLockedAddress,
  toLockedDroplet,
} from '../../db/operations/locks.ts';
import type { AddressChange } from '../../db/operations/plan.ts';
import { reopen, undo } from '../../db/operations/reversal.ts';
import { settle } from '../../db/operations/settle.ts';
import type { Account } from '../../dev/kit/account.ts';
import { addressToBytes } from '../../domain/address.ts';
import { fencesOf } from '../../domain/admitted.ts';
import type { Admitted } from '../../domain/decision.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { checkDatabase } from '../../ops/consistency/checks/database.ts';
import { useDatabase } from '../support/database.ts';
import { operationRules } from '../support/operation-rules.ts';
import { useCustomer } from '../support/reserved.ts';
import type { World } from '../support/world.ts';

/*
 * Two addresses that change places. No operation of the product does that yet; what it would write, besides its plan, is
 * what an assign writes.
 */

const RULES = operationRules(0);

interface Pair {
  account: Account;
  first: string;
  second: string;
  droplets: [number, number];
  operation: AssignOperation;
}

/** Two addresses on a droplet each, on `hosts` hosts. */
async function pairOn(hosts: number): Promise<Pair & { world: World }> {
  const { world, account } = await useCustomer({ agents: hosts });
  const [one = 0, other = 0] = await world.droplets(account, 2);
  const [first, second] = [await account.reserve(world.region), await account.reserve(world.region)];
  await Promise.all([account.assign(first, one), account.assign(second, other)]);
  const operation: AssignOperation = {
    id: newOperationId(),
    kind: 'assign',
    accountId: account.id,
    resourceType: 'reserved_ip',
    requestedBy: { kind: 'service', name: 'test', requestId: null, remote: null },
    address: first,
    dropletId: other,
  };
  return { world, account, first, second, droplets: [one, other], operation };
}

function moving(operation: AssignOperation, address: LockedAddress, droplet: LockedDroplet): AddressChange {
  return {
    address,
    actions: [
      { type: 'assign_ip', status: 'in-progress', dropletId: droplet.id, previousDropletId: address.dropletId },
    ],
    changes: { target_droplet_id: droplet.id },
    commands: moveCommands(operation.id, address, nextGeneration(address), { from: address.place, to: droplet }),
    billing: null,
  };
}

async function swap(db: Database, { first, second, droplets, operation }: Pair): Promise<Admitted> {
  const context = { db, operation, rules: RULES, mayBeRepeated: false, viaOutbox: false };
  const reads = [
    addressQuery(first),
    addressQuery(second),
    dropletQuery(droplets[0]),
    dropletQuery(droplets[1]),
  ] as const;
  const result = await admitBy(context, reads, ([[firstRow], [secondRow], [oneRow], [otherRow]]) => {
    const [one, other] = [toLockedDroplet(oneRow, []), toLockedDroplet(otherRow, [])];
    const [left, right] = [toLockedAddress(firstRow), toLockedAddress(secondRow)];
    if (!left || !right || !one || !other) return 'address_not_found';
    const changes = [moving(operation, left, other), moving(operation, right, one)] as const;
    return { changes, settled: false, destroys: null };
  });
  if (result.kind !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(result)}`);
  return result.admitted;
}

async function placesOf({ account, first, second }: Pair): Promise<unknown[]> {
  const shown = await Promise.all([account.show(first), account.show(second)]);
  return shown.map(({ droplet, locked }) => [droplet?.id, locked]);
}

describe('an operation that swaps two addresses', () => {
  test('takes both fences and tells both hosts of both addresses, in one transaction', async () => {
    const db = useDatabase();
    const pair = await pairOn(2);
    const { first, second, world } = pair;
    const [hostOne, hostOther] = world.agents.map(({ name }) => name);

    const admitted = await swap(db, pair);

    const [own, further] = fencesOf(admitted);
    expect(admitted.hostCommands).toEqual([
      { host: hostOther, change: 'attach', address: first, generation: own.generation },
      { host: hostOne, change: 'detach', address: first, generation: own.generation },
      { host: hostOne, change: 'attach', address: second, generation: further?.generation },
      { host: hostOther, change: 'detach', address: second, generation: further?.generation },
    ]);
    expect(admitted).toMatchObject({ attachTo: hostOther, detachFrom: [hostOne] });
    expect(await findDecision(db, pair.operation.id)).toEqual(admitted);
    const actions = await db
      .selectFrom('actions')
      .select(['id', 'address', 'status'])
      .where('operation_id', '=', pair.operation.id)
      .orderBy('id')
      .execute();
    expect(actions).toEqual([
      { id: own.actionId, address: addressToBytes(first), status: 'in-progress' },
      { id: further?.actionId, address: addressToBytes(second), status: 'in-progress' },
    ]);
    expect(await placesOf(pair)).toEqual([
      [pair.droplets[0], true],
      [pair.droplets[1], true],
    ]);
    await undo(db, pair.operation, admitted, 'the test is over');
  });

  test('breaks no invariant while it is open', async () => {
    const db = useDatabase();
    const pair = await pairOn(2);
    const admitted = await swap(db, pair);
    const rows = await db
      .selectFrom('addresses')
      .select('id')
      .where('address', 'in', [addressToBytes(pair.first), addressToBytes(pair.second)])
      .execute();

    const found = await checkDatabase(
      db,
      rows.map(({ id }) => id),
    );

    expect(found).toEqual([]);
    await undo(db, pair.operation, admitted, 'the test is over');
  });

  test('settles both at once, and tells billing of each under an id of its own', async () => {
    const db = useDatabase();
    const pair = await pairOn(2);
    const admitted = await swap(db, pair);

    const changes = await settle(db, pair.operation, admitted, RULES);

    const [own, further] = fencesOf(admitted);
    expect(changes).toMatchObject([
      { eventId: `action-${own.actionId}`, kind: 'reassigned', address: pair.first, dropletId: pair.droplets[1] },
      { eventId: `action-${further?.actionId}`, kind: 'reassigned', address: pair.second, dropletId: pair.droplets[0] },
    ]);
    expect(await placesOf(pair)).toEqual([
      [pair.droplets[1], false],
      [pair.droplets[0], false],
    ]);
    expect(await settle(db, pair.operation, admitted, RULES)).toEqual(changes);
  });

  test('settles nothing when one of its fences is gone', async () => {
    const db = useDatabase();
    const pair = await pairOn(2);
    const admitted = await swap(db, pair);
    const [, further] = fencesOf(admitted);
    await db
      .updateTable('addresses')
      .set({ pending_action_id: null, target_droplet_id: null })
      .where('address', '=', addressToBytes(pair.second))
      .execute();

    await expect(settle(db, pair.operation, admitted, RULES)).rejects.toBeInstanceOf(FenceMissingError);

    expect(await placesOf(pair)).toEqual([
      [pair.droplets[0], true],
      [pair.droplets[1], false],
    ]);
    const own = await db
      .selectFrom('actions')
      .select('status')
      .where('id', '=', admitted.actionId)
      .executeTakeFirstOrThrow();
    expect(own.status).toBe('in-progress');
    await db
      .updateTable('addresses')
      .set({ pending_action_id: further?.actionId ?? null, target_droplet_id: pair.droplets[0] })
      .where('address', '=', addressToBytes(pair.second))
      .execute();
    await undo(db, pair.operation, admitted, 'the test is over');
  });

  test('is undone as a whole, and taken up again as a whole', async () => {
    const db = useDatabase();
    const pair = await pairOn(2);
    const admitted = await swap(db, pair);

    await undo(db, pair.operation, admitted, 'a host has failed');
    await undo(db, pair.operation, admitted, 'a host has failed');
    expect(await placesOf(pair)).toEqual([
      [pair.droplets[0], false],
      [pair.droplets[1], false],
    ]);

    await reopen(db, pair.operation, admitted);
    await reopen(db, pair.operation, admitted);
    const told = await db
      .selectFrom('host_events')
      .innerJoin('addresses', 'addresses.id', 'host_events.address_id')
      .select(['host_events.change'])
      .whereRef('host_events.generation', '=', 'addresses.generation')
      .where('host_events.operation_id', '=', pair.operation.id)
      .execute();
    expect(told.map(({ change }) => change).sort()).toEqual(['attach', 'attach', 'detach', 'detach']);

    await settle(db, pair.operation, admitted, RULES);
    expect(await placesOf(pair)).toEqual([
      [pair.droplets[1], false],
      [pair.droplets[0], false],
    ]);
  });

  test('on one host waits for the answer about each of its addresses', async () => {
    const db = useDatabase();
    const pair = await pairOn(1);
    const admitted = await swap(db, pair);
    const [left, right] = admitted.hostCommands;
    expect(admitted.hostCommands.map(({ change, address }) => [change, address])).toEqual([
      ['attach', pair.first],
      ['attach', pair.second],
    ]);
    if (!left || !right) throw new Error('it has told its host of one address only');
    // It looks into the database too rarely to find there what the test does not tell it.
    const answers = new HostAnswers({ db, lookMs: 3_600_000 });
    const tell = (command: typeof left) =>
      answers.record({ ...command, operationId: pair.operation.id, outcome: 'applied' as const });

    let answered = false;
    const waiting = answers.wait(admitted, 30_000).finally(() => {
      answered = true;
    });
    tell(left);
    tell(left);
    await new Promise(setImmediate);
    expect(answered).toBe(false);
    tell(right);

    expect(await waiting).toBe('done');
    await undo(db, pair.operation, admitted, 'the test is over');
  });
});
