import { describe, expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { admitInDatabase } from '../../db/operations/admit.ts';
import { reopen, undo } from '../../db/operations/reversal.ts';
import { settle } from '../../db/operations/settle.ts';
import type { Account } from '../../dev/kit/account.ts';
import type { Admitted } from '../../domain/decision.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import type { AssignOperation, Operation } from '../../domain/operation.ts';
import { useDatabase } from '../support/database.ts';
import { operationRules } from '../support/operation-rules.ts';
import { useCustomer, useReserved } from '../support/reserved.ts';
import { resetToFirstTask, useTemporal } from '../support/temporal.ts';

const RULES = operationRules(0);

interface Undone {
  db: Database;
  account: Account;
  operation: AssignOperation;
  admitted: Admitted;
  region: string;
}

async function admitted(db: Database, operation: Operation): Promise<Admitted> {
  const result = await admitInDatabase({ db, operation, rules: RULES, mayBeRepeated: false, viaOutbox: false });
  if (result.kind !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(result)}`);
  return result.admitted;
}

/** An assign that was undone, as a run that was reset finds it. */
async function undoneAssign(): Promise<Undone> {
  const { world, account, droplet: dropletId } = await useCustomer({ agents: 1, droplets: 1 });
  const db = useDatabase();
  const operation: AssignOperation = {
    id: newOperationId(),
    kind: 'assign',
    accountId: account.id,
    resourceType: 'reserved_ip',
    address: await account.reserve(world.region),
    dropletId,
  };
  const decision = await admitted(db, operation);
  await undo(db, operation, decision, 'a host has failed');
  return { db, account, operation, admitted: decision, region: world.region };
}

describe('a step that may not write says why', () => {
  test('when the droplet has another address by now', async () => {
    const { db, account, operation, admitted: decision, region } = await undoneAssign();
    await account.assign(await account.reserve(region), operation.dropletId);

    await expect(reopen(db, operation, decision)).rejects.toMatchObject({
      name: 'DropletUnavailableError',
      type: 'DropletUnavailable',
      actionId: decision.actionId,
      dropletId: operation.dropletId,
      reason: 'taken',
      message: `droplet ${operation.dropletId} has another address by now`,
    });
  });

  test('when the droplet was destroyed', async () => {
    const { db, account, operation, admitted: decision } = await undoneAssign();
    expect((await account.http.delete(`/v2/droplets/${operation.dropletId}`)).status).toBe(204);

    await expect(reopen(db, operation, decision)).rejects.toMatchObject({
      name: 'DropletUnavailableError',
      reason: 'destroyed',
      message: `droplet ${operation.dropletId} was destroyed`,
    });
  });

  test('when another action has held the fence since', async () => {
    const { db, account, operation, admitted: decision } = await undoneAssign();
    const newer = await account.assign(operation.address, operation.dropletId);

    for (const step of [() => reopen(db, operation, decision), () => settle(db, operation, decision, RULES)]) {
      await expect(step()).rejects.toMatchObject({
        name: 'SupersededError',
        supersededBy: newer.id,
        message: `superseded by action ${newer.id}`,
      });
    }
  });

  test('when its own action has ended', async () => {
    const { db, operation, admitted: decision } = await undoneAssign();
    await expect(settle(db, operation, decision, RULES)).rejects.toMatchObject({
      name: 'ActionEndedError',
      status: 'errored',
      message: `action ${decision.actionId} was undone already`,
    });

    await reopen(db, operation, decision);
    await settle(db, operation, decision, RULES);
    await expect(undo(db, operation, decision, 'too late')).rejects.toMatchObject({
      name: 'ActionEndedError',
      status: 'completed',
      message: `action ${decision.actionId} has completed already`,
    });
  });

  test('when it is of a kind that is final', async () => {
    const { db, operation } = await undoneAssign();
    const { id: _, kind: __, dropletId: ___, ...about } = operation;
    const release: Operation = { ...about, id: newOperationId(), kind: 'release' };
    const decision = await admitted(db, release);

    for (const step of [() => undo(db, release, decision, 'no'), () => reopen(db, release, decision)]) {
      await expect(step()).rejects.toMatchObject({
        name: 'NotReversibleError',
        kind: 'release',
        message: `action ${decision.actionId} is a release, which is final`,
      });
    }
    expect(await settle(db, release, decision, RULES)).toEqual([]);
  });
});

describe('the first line of a run that was reset', () => {
  test('names the droplet when that has another address by now', async () => {
    const { world, account, droplet, ip } = await useReserved({ agents: 1 });
    const temporal = await useTemporal();
    const [agent] = world.agents;
    agent?.driver.failNext(Number.POSITIVE_INFINITY);
    const action = await account.ended(await account.startAssign(ip, droplet));
    const failed = temporal.workflow.getHandle(`reserved-ip/${ip}`);
    await failed.result().catch(() => {});
    agent?.driver.failNext(0);
    await account.assign(await account.reserve(world.region), droplet);

    await resetToFirstTask(temporal, `reserved-ip/${ip}`);

    await expect(temporal.workflow.getHandle(`reserved-ip/${ip}`).result()).rejects.toMatchObject({
      cause: {
        type: 'DropletUnavailable',
        message: `No action needed: the customer must choose another droplet: droplet ${droplet} has another address by now. This run changed nothing`,
      },
    });
    expect(await account.action(action.id)).toMatchObject({ status: 'errored' });
  });
});
