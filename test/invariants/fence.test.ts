import { describe, expect, test } from 'vitest';
import type { Database } from '../../db/database.ts';
import { type AdmissionResult, admitInDatabase } from '../../db/operations/admit.ts';
import { ActionEndedError, SupersededError } from '../../db/operations/errors.ts';
import { undo } from '../../db/operations/reversal.ts';
import { settle } from '../../db/operations/settle.ts';
import type { Account } from '../../dev/kit/account.ts';
import type { Admitted, Decision } from '../../domain/decision.ts';
import { newOperationId } from '../../domain/identifiers.ts';
import type { AssignOperation } from '../../domain/operation.ts';
import { useDatabase } from '../support/database.ts';
import { operationRules } from '../support/operation-rules.ts';
import { useReserved } from '../support/reserved.ts';
import { resetToFirstTask, runningOperation, useTemporal } from '../support/temporal.ts';
import { useWorld } from '../support/world.ts';

const RULES = operationRules(0);

function assignOperation(account: Account, address: string, dropletId: number): AssignOperation {
  return {
    id: newOperationId(),
    kind: 'assign',
    accountId: account.id,
    resourceType: 'reserved_ip',
    admitBefore: new Date(Date.now() + 5_000).toISOString(),
    address,
    dropletId,
  };
}

function admitting(db: Database, operation: AssignOperation): Promise<AdmissionResult> {
  return admitInDatabase({ db, operation, rules: RULES, mayBeRepeated: false, viaOutbox: false });
}

function decisionOf(result: AdmissionResult): Decision | null {
  if (result.kind === 'admitted') return result.admitted;
  return result.kind === 'repeated' ? result.decision : null;
}

function admitted(result: AdmissionResult): Admitted {
  const decision = decisionOf(result);
  if (decision?.kind !== 'admitted') throw new Error(`not admitted: ${JSON.stringify(result)}`);
  return decision;
}

describe('the decision of an operation', () => {
  test('is the first writer’s, for everyone who asks at once', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const db = useDatabase();
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const operation = assignOperation(account, await account.reserve(world.region), droplet);

    const ask = () => admitInDatabase({ db, operation, rules: RULES, mayBeRepeated: true, viaOutbox: false });
    const results = await Promise.all(Array.from({ length: 6 }, ask));

    const decisions = results.map(decisionOf);
    for (const decision of decisions) expect(decision).toEqual(decisions[0]);
    expect(decisions[0]).toMatchObject({ kind: 'admitted' });
    expect(results.filter(({ kind }) => kind === 'admitted')).toHaveLength(1);
  });

  test('is a rejection once its time has passed, whoever has been told that it will not happen', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const db = useDatabase();
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const operation = assignOperation(account, await account.reserve(world.region), droplet);
    const late = { ...operation, admitBefore: new Date(Date.now() - 1_000).toISOString() };

    expect(await admitting(db, late)).toEqual({ kind: 'rejected', reason: 'expired' });
    expect(await account.show(operation.address)).toMatchObject({ locked: false });
  });

  test('that is a rejection leaves nothing behind', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const db = useDatabase();
    const account = await world.account();
    const operation = assignOperation(account, await account.reserve(world.region), 1);

    expect(await admitting(db, operation)).toEqual({ kind: 'rejected', reason: 'droplet_not_found' });

    const rows = await db.selectFrom('operations').select('id').where('id', '=', operation.id).execute();
    expect(rows).toEqual([]);
  });
});

describe('a run that has lost its fence', () => {
  test('can neither settle nor undo', async () => {
    const { account, ip: address, droplets } = await useReserved({ agents: 0, manualHosts: 1, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    const db = useDatabase();
    const old = assignOperation(account, address, first);
    const oldDecision = admitted(await admitting(db, old));
    await undo(db, old, oldDecision, 'given up');
    const newer = assignOperation(account, address, second);
    const newerDecision = admitted(await admitting(db, newer));

    await expect(settle(db, old, oldDecision, RULES)).rejects.toBeInstanceOf(SupersededError);
    expect(await account.show(address)).toMatchObject({ droplet: null, locked: true });

    await settle(db, newer, newerDecision, RULES);
    await expect(undo(db, newer, newerDecision, 'too late')).rejects.toBeInstanceOf(ActionEndedError);
    expect(await account.show(address)).toMatchObject({ droplet: { id: second }, locked: false });
  });

  test('may settle twice, with one effect and the same billing event', async () => {
    const world = await useWorld({ agents: 0, manualHosts: 1 });
    const db = useDatabase();
    const account = await world.account();
    const [droplet = 0] = await world.droplets(account, 1);
    const operation = assignOperation(account, await account.reserve(world.region), droplet);
    const decision = admitted(await admitting(db, operation));

    const first = await settle(db, operation, decision, RULES);
    const second = await settle(db, operation, decision, RULES);

    expect(first).toHaveLength(1);
    expect(second).toEqual(first);
  });
});

describe('the generation of an address', () => {
  test('rises with every change, and every host command carries it', async () => {
    const { account, ip: address, droplets } = await useReserved({ agents: 2, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    const db = useDatabase();
    await account.assign(address, first);
    await account.assign(address, second);
    await account.unassign(address);
    await account.assign(address, first);

    const events = await db
      .selectFrom('host_events')
      .innerJoin('addresses', 'addresses.id', 'host_events.address_id')
      .select(['host_events.generation', 'host_events.operation_id'])
      .where('addresses.account_id', '=', account.id)
      .orderBy('host_events.issued_at')
      .orderBy('host_events.generation')
      .execute();
    const byOperation = new Map(events.map((event) => [event.operation_id, event.generation]));
    const generations = [...byOperation.values()];
    expect(generations).toHaveLength(4);
    expect(generations).toEqual([...generations].sort((left, right) => left - right));
    expect(new Set(generations).size).toBe(4);
  });
});

describe('a reset from outside', () => {
  test('of a failed run that nothing has superseded reopens its action and carries it through', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 1 });
    const temporal = await useTemporal();
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);
    const action = await account.startAssign(ip, droplet);
    expect(await account.ended(action)).toMatchObject({ status: 'errored' });
    const failed = temporal.workflow.getHandle(`reserved-ip/${ip}`);
    await failed.result().catch(() => {});

    world.agents[0]?.driver.failNext(0);
    await resetToFirstTask(temporal, `reserved-ip/${ip}`);

    expect(await temporal.workflow.getHandle(`reserved-ip/${ip}`).result()).toMatchObject({ kind: 'completed' });
    expect(await account.action(action.id)).toMatchObject({ status: 'completed' });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: droplet }, locked: false });
  });

  test('of a run that another action has superseded is rejected by the fence', async () => {
    const { world, account, ip, droplets } = await useReserved({ agents: 1, droplets: 2 });
    const [first = 0, second = 0] = droplets;
    const temporal = await useTemporal();
    world.agents[0]?.driver.failNext(Number.POSITIVE_INFINITY);
    await account.ended(await account.startAssign(ip, first));
    const failed = await temporal.workflow.getHandle(`reserved-ip/${ip}`).describe();
    world.agents[0]?.driver.failNext(0);
    await account.assign(ip, second);

    await resetToFirstTask(temporal, `reserved-ip/${ip}`, failed.runId);

    await expect(temporal.workflow.getHandle(`reserved-ip/${ip}`).result()).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/^No action needed: superseded by action \d+/) },
    });
    expect(await account.show(ip)).toMatchObject({ droplet: { id: second }, locked: false });
  });
});

describe('a cancellation from outside', () => {
  test('of an assign that waits for its host undoes it', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const temporal = await useTemporal();
    const action = await account.startAssign(ip, droplet);
    await world.manualHosts[0]?.command(ip, 'attach');

    await (await runningOperation(temporal, ip, 'assign')).cancel();

    expect(await account.ended(action)).toMatchObject({ status: 'errored' });
    expect(await account.show(ip)).toMatchObject({ droplet: null, locked: false });
  });

  test('of a release does not keep it from returning the address once its host has detached it', async () => {
    const { world, account, ip, droplet } = await useReserved({ agents: 0, manualHosts: 1 });
    const temporal = await useTemporal();
    const [host] = world.manualHosts;
    await account.assignBy(host, ip, droplet);
    await account.release(ip);

    const release = await runningOperation(temporal, ip, 'release');
    await release.cancel();
    await host?.confirm(ip, 'detach');

    expect(await release.result()).toMatchObject({ kind: 'completed' });
  });
});
